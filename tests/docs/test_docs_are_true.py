"""What the documents say exists, exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from regcert.cli.app import app
from regcert.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
SOURCE = ROOT / "src" / "regcert"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_link_leads_somewhere_when_it_is_a_file(page: Path) -> None:
    """Every relative link and picture of a page is there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_make_task_named_in_a_document_is_one() -> None:
    """`make x` in a document is a task of the Makefile."""
    tasks = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        text = page.read_text("utf-8")
        named = re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)
        assert set(named) <= tasks, page


def test_architecture_names_only_files_that_are_there() -> None:
    """The table of where to look leads to modules."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    table = text[text.index("## Where to look") : text.index("## Trust is a type")]
    for path in re.findall(r"`([a-z_/]+(?:\.py|/))`", table):
        assert (SOURCE / path).exists(), path


def test_architecture_names_every_room() -> None:
    """A room that the plan of the house leaves out is a room nobody finds."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rooms |= {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    plan = text[text.index("## The house") : text.index("| library")]
    assert {room for room in rooms if room not in plan} == set()


def test_every_decision_stands_in_the_index() -> None:
    """The index of decisions lists each record, and no other."""
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_every_setting_is_documented() -> None:
    """A setting that docs/cli.md does not name does not exist for an operator."""
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for name in Settings.model_fields:
        assert f"REGCERT_{name.upper()}" in text, name


def test_every_command_in_the_readme_is_one() -> None:
    """`regcert x` in the README is a command."""
    commands = set(getattr(get_command(app), "commands", {}))
    named = re.findall(r"^    regcert ([a-z]+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert named
    assert set(named) <= commands
