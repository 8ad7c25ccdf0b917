"""Read the client profiles that RegCERT ships."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from regcert.errors import Code, Refusal
from regcert.share import share_dir
from regcert.taxii.profiles import Profile, read_profile


def load_profiles(folder: Path | None = None) -> Mapping[str, Profile]:
    """Read every profile, by its name, in the order of the names.

    Args:
        folder: where they are, or None for `feeds/clients/` of this installation.

    Raises:
        Refusal: INVALID_SETTING, naming the file and the entry at fault.
    """
    profiles = {}
    for path in sorted((folder or share_dir() / "feeds" / "clients").glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise Refusal(Code.INVALID_SETTING, f"the client profile {path.name} cannot be read; install it again") from error
        profile = read_profile(path.name, data)
        if profile.name != path.stem:
            raise Refusal(Code.INVALID_SETTING, f"the client profile {path.name}: 'name' must be the name of the file")
        profiles[profile.name] = profile
    return profiles
