"""Where the shipped files are: schemas, guard lists, region examples."""

import sys
from pathlib import Path

from regcert.errors import Code, Refusal


def share_dir() -> Path:
    """Find the folder that holds `schemas/`, `feeds/` and `deploy/regions/`.

    Returns:
        The repository in a checkout, else `share/regcert` of the installation.

    Raises:
        Refusal: INVALID_SETTING where neither is there.
    """
    checkout = Path(__file__).resolve().parents[2]
    for folder in (checkout, Path(sys.prefix) / "share" / "regcert"):
        if (folder / "schemas").is_dir():
            return folder
    raise Refusal(Code.INVALID_SETTING, "the files that RegCERT ships with are not there; install it again")
