"""docs/clients.md says of each client what its profile does, and how it is connected."""

import re
from pathlib import Path

from regcert.flows.load_profiles import load_profiles
from regcert.taxii.profiles import Profile

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "clients.md").read_text("utf-8")


def row(profile: Profile) -> str:
    done = "; ".join(profile.describe_deviations()) or "nothing"
    why = " ".join(reason for _, reason in profile.reasons) or profile.note
    return f"| `{profile.name}` | {profile.title} | {done} | {why} |"


def test_table_of_profiles_is_what_the_files_say():
    """Made from the data: when this fails, put the expected lines between the two marks."""
    table = [
        "| `--client` | software | beyond the standard | what it does without, or why it needs nothing |",
        "|---|---|---|---|",
    ]
    table += [row(profile) for profile in load_profiles().values()]
    written = PAGE[PAGE.index("<!-- profiles -->") + len("<!-- profiles -->") : PAGE.index("<!-- /profiles -->")]
    assert written.strip() == "\n".join(table)


def test_every_client_has_a_section_and_every_section_a_profile():
    """Whoever finds a name in the table finds out how it is set up."""
    assert re.findall(r"^## `([a-z0-9-]+)`$", PAGE, re.MULTILINE) == list(load_profiles())
