"""The operator's commands: what they print where, what they refuse, and with which exit code."""

import re
import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from regcert.cli.app import EXIT_CODES, app, run
from regcert.errors import Code

ONE_TOKEN = re.compile(r"regcert_[A-Za-z0-9_-]{43}\n")
ONE_LINE = re.compile(r"regcert: [^\n]+ \[[a-z-]+\]\n")
TEAM = ("team", "add", "sector-cert", "--name", "Sector CERT", "--country", "XK", "--kind", "sectoral")
GROUP = ("--title", "Power grid", "--tlp", "amber+strict", "--signature", "accepted")
TWIN = ("--title", "PUBLIC", *GROUP[2:])


def test_init_prints_one_token_and_nothing_else_when_host_is_new(regcert):
    """A script reads the admin token from standard output; the sentence for people goes beside it."""
    outcome = regcert("init")
    assert outcome.code == 0
    assert ONE_TOKEN.fullmatch(outcome.out)
    assert "regional-centre" in outcome.err
    assert outcome.out.strip() not in outcome.err


def test_init_keeps_what_it_makes_private(founded):
    """Nobody but the service reads its data folder and its key."""
    assert stat.S_IMODE(Path("var").stat().st_mode) == 0o700
    assert stat.S_IMODE(Path("var/host.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in Path("var").iterdir() if path.name.startswith("host.key")) == ["host.key"]


def test_init_is_refused_when_done_before(founded):
    """A second init changes neither key nor region, and is told apart by its code."""
    key = Path("var/host.key").read_bytes()
    outcome = founded("init", "--json")
    assert (outcome.code, outcome.out) == (1, "")
    assert "[already-exists]" in outcome.err
    assert Path("var/host.key").read_bytes() == key


def test_init_tells_where_when_asked_for_json(regcert):
    """The JSON form says whose token it is and where the API root is."""
    told = regcert("init", "--json").json
    assert sorted(told) == ["api_root", "team", "token"]
    assert (told["team"], told["api_root"]) == ("regional-centre", "/western-balkans/")


@pytest.mark.parametrize("content", ["slug = ", "slug = 'x'", None])
def test_init_leaves_nothing_behind_when_region_is_wrong(regcert, content):
    """A region is read before anything is made."""
    if content is not None:
        Path("region.toml").write_text(content)
    outcome = regcert("init", "--region", "region.toml")
    assert outcome.code == 1
    assert "[invalid-region]" in outcome.err
    assert not Path("var").exists()


@pytest.mark.parametrize("command", [("team", "list"), ("collection", "list"), ("serve", "--port", "0"), TEAM])
def test_command_is_refused_and_makes_nothing_when_there_is_no_host(regcert, command):
    """A command in the wrong folder does not leave an empty database there."""
    outcome = regcert(*command)
    assert outcome.code == 1
    assert "[not-initialised]" in outcome.err
    assert list(Path().iterdir()) == []


def test_team_joins_when_added(founded):
    """An added team is listed, with an identity of its own."""
    assert founded(*TEAM).code == 0
    listed = founded("team", "list", "--json").json
    assert listed[-1]["slug"] == "sector-cert"
    assert listed[-1]["country"] == "XK"
    assert uuid.UUID(listed[-1]["identity"].removeprefix("identity--")).version == 4
    again = founded(*TEAM)
    assert (again.code, "[already-exists]" in again.err) == (1, True)


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        (("sectoral", "secret"), 2, "[usage]"),
        (("XK", "Kosovo"), 1, "[invalid-region]"),
        (("sector-cert", "Sector CERT"), 1, "[invalid-region]"),
        (("Sector CERT", "a\nb"), 1, "[invalid-region]"),
    ],
)
def test_team_is_refused_when_word_is_wrong(founded, change, code, word):
    """What the region file would not take is not taken from a prompt either."""
    outcome = founded(*(change[1] if part == change[0] else part for part in TEAM))
    assert outcome.code == code
    assert ONE_LINE.fullmatch(outcome.err)
    assert word in outcome.err


def test_collection_opens_when_added(founded):
    """An added collection is listed with its id and API root, under the id it was given."""
    identifier = str(uuid.uuid4())
    added = founded(
        "collection", "add", "grid", *GROUP, "--read", "alcirt,srb-cert", "--write", "all", "--id", identifier, "--json"
    )
    assert added.code == 0
    listed = founded("collection", "list", "--json").json
    assert listed[-1] == added.json
    assert (listed[-1]["id"], listed[-1]["slug"], listed[-1]["ceiling"]) == (identifier, "grid", "TLP:AMBER+STRICT")
    assert listed[-1]["api_root"] == "/western-balkans/"
    assert f"/western-balkans/collections/{identifier}/" == listed[-1]["path"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("grid", *GROUP, "--read", "nobody", "--write", "all"), "[not-found]"),
        (("grid", *GROUP, "--read", "all", "--write", ","), "[invalid-region]"),
        (("grid", *GROUP, "--read", "all", "--write", "all", "--id", "1"), "[invalid-region]"),
        (("public", *GROUP, "--read", "all", "--write", "all"), "[already-exists]"),
        (("grid", *TWIN, "--read", "all", "--write", "all"), "[already-exists]"),
        (("grid", *GROUP, "--read", "all", "--write", "all", "--api-root", "nowhere"), "[not-found]"),
        (("grid", *GROUP, "--read", "all", "--write", "all", "--api-root", "no.where"), "[invalid-region]"),
        (("grid", *GROUP, "--read", "all", "--write", "all", "--media-types", "pdf"), "[invalid-region]"),
    ],
)
def test_collection_is_refused_when_word_is_wrong(founded, arguments, word):
    """A collection nobody could use, or that exists, is not made."""
    outcome = founded("collection", "add", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert word in outcome.err


def test_collection_opens_in_the_root_that_is_named(founded):
    """With the media types that are named, behind STIX; without a root, in the region's own."""
    audience = ("--read", "all", "--write", "all")
    added = founded(
        "collection", "add", "grid", *GROUP, *audience, "--api-root", "public", "--media-types", "application/pdf", "--json"
    )
    assert added.json["api_root"] == "/public/"
    assert added.json["path"] == f"/public/collections/{added.json['id']}/"
    assert added.json["media_types"] == ["application/stix+json;version=2.1", "application/pdf"]
    assert founded("collection", "list", "--json").json[-1] == added.json


def test_root_is_listed_behind_the_others_when_added(founded):
    """The region's own stays first, and the default."""
    added = founded("root", "add", "partners", "--title", "Partners", "--json")
    assert added.json == {
        "slug": "partners", "title": "Partners", "description": "Partners", "path": "/partners/", "default": False,
    }  # fmt: skip
    listed = founded("root", "list", "--json").json
    assert [(one["slug"], one["default"]) for one in listed] == [
        ("western-balkans", True), ("public", False), ("partners", False),
    ]  # fmt: skip
    assert listed[-1] == added.json
    assert len([line for line in founded("root", "list").out.splitlines() if "/partners/" in line]) == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("public", "--title", "Another"), "[already-exists]"),
        (("another", "--title", "Public"), "[already-exists]"),
        (("taxii2", "--title", "Another"), "[invalid-region]"),
        (("an.other", "--title", "Another"), "[invalid-region]"),
        (("another", "--title", "An.other"), "[invalid-region]"),
    ],
)
def test_root_is_refused_when_word_is_wrong(founded, arguments, word):
    """A root that could not be reached, or told from another, is not made."""
    outcome = founded("root", "add", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert ONE_LINE.fullmatch(outcome.err)
    assert word in outcome.err
    assert len(founded("root", "list", "--json").json) == 2


def test_tables_hold_a_row_on_one_line_when_piped(founded):
    """What is piped is searched by line: no id is wrapped or cut."""
    listed = founded("collection", "list").out.splitlines()
    assert len([line for line in listed if "a6df37a9-3b96-434f-9b5b-cdea3c50ad8a" in line and "/western-balkans/" in line]) == 1
    assert "identity--318ad6f9-44e0-4e89-b1bd-c258fac68af1" in founded("team", "list").out


def test_token_stands_alone_on_standard_output_when_made(founded):
    """A script writes TOKEN=$(regcert token create …)."""
    outcome = founded("token", "create", "--team", "alcirt", "--role", "consumer", "--collections", "public", "--expires", "90d")
    assert (outcome.code, outcome.err) == (0, "")
    assert ONE_TOKEN.fullmatch(outcome.out)


def test_token_is_made_for_a_client_when_one_is_named(founded):
    """Every client that is listed can be named."""
    outcome = founded("token", "create", "--team", "alcirt", "--role", "consumer", "--client", "elastic")
    assert (outcome.code, outcome.err) == (0, "")
    assert ONE_TOKEN.fullmatch(outcome.out)


def test_known_clients_are_listed_when_another_is_named(founded):
    """Whoever misspells one is told the others."""
    outcome = founded("token", "create", "--team", "alcirt", "--role", "consumer", "--client", "elastik")
    assert (outcome.code, outcome.out) == (1, "")
    assert "[not-found]" in outcome.err
    for client in founded("client", "list", "--json").json:
        assert client["name"] in outcome.err


def test_clients_are_listed_with_what_is_done_for_each(regcert):
    """With the reason of each deviation, and without a host: an operator reads it before there is one."""
    listed = {one["name"]: one for one in regcert("client", "list", "--json").json}
    assert [one["what"] for one in listed["elastic"]["deviations"]] == ["empty-list", "echo-added-after"]
    assert all(one["reason"] for client in listed.values() for one in client["deviations"])
    assert (listed["intelmq"]["page_objects"], listed["misp"]["deviations"]) == (10_000, [])
    lines = regcert("client", "list").out.splitlines()
    assert len([line for line in lines if "intelmq" in line and "pages of 10,000" in line]) == 1
    assert len([line for line in lines if "misp" in line and "none" in line]) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--team", "nobody", "--role", "analyst"), 1),
        (("--team", "alcirt", "--role", "analyst", "--collections", "public,nothing"), 1),
        (("--team", "alcirt", "--role", "king"), 2),
        (("--team", "alcirt", "--role", "analyst", "--expires", "soon"), 2),
        (("--team", "alcirt", "--role", "analyst", "--expires", "0d"), 2),
        (("--role", "analyst"), 2),
    ],
)
def test_no_token_is_printed_when_word_is_wrong(founded, arguments, code):
    """A token that would not be what was asked for is not made."""
    outcome = founded("token", "create", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert ONE_LINE.fullmatch(outcome.err)


def test_setting_is_refused_by_every_host_command_when_unknown(regcert, monkeypatch):
    """No command runs on settings that may not be what was meant."""
    monkeypatch.setenv("REGCERT_DATADIR", "elsewhere")
    outcome = regcert("init")
    assert (outcome.code, outcome.out) == (1, "")
    assert "REGCERT_DATADIR" in outcome.err


def test_fault_is_one_line_when_something_breaks(regcert, monkeypatch):
    """A fault of ours is one line without control characters, and a code of its own."""

    def broken(*_: object) -> None:
        raise LookupError("first\nsecond\x1b[31m")

    monkeypatch.setattr("regcert.settings.read_settings", broken)
    outcome = regcert("init")
    assert outcome.code == 5
    assert ONE_LINE.fullmatch(outcome.err)
    assert "\x1b" not in outcome.err


def test_exit_codes_tell_unreachable_and_not_signed_in_apart():
    """A script tells from the number whether trying again can help."""
    assert EXIT_CODES[Code.UNREACHABLE] == EXIT_CODES[Code.BUSY] == 3
    assert EXIT_CODES[Code.UNAUTHENTICATED] == 4


def test_help_imports_nothing_heavy():
    """Whoever asks for help waits for words, not for libraries."""
    heavy = "{'sqlalchemy', 'sqlmodel', 'stix2', 'taxii2client', 'aiohttp', 'pydantic', 'rich.console', 'alembic'}"
    program = f"import sys; import regcert.__main__; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("arguments", [["--help"], [], ["--version"], ["token", "create", "--help"]])
def test_help_and_version_end_well(arguments, capsys):
    """Asking is never wrong."""
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 0
    assert capsys.readouterr().out


def test_every_option_is_documented():
    """An option that docs/cli.md does not name does not exist for whoever reads it."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    undocumented: list[str] = []

    def walk(command: Any, name: str) -> None:
        for word, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{name} {word}")
        if not hasattr(command, "commands"):
            options = [flag for parameter in command.params for flag in parameter.opts if flag.startswith("--")]
            undocumented.extend(word for word in (f"`{name}", *options) if word not in text)

    walk(get_command(app), "regcert")
    assert undocumented == []
