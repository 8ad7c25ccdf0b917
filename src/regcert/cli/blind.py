"""The commands around blind matches. They need a server and a token, no host."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regcert.cli.client import AsJson, Server, Token
from regcert.cli.printing import items, print_json, print_table, tell

_LOCAL = "http://127.0.0.1:8080"
_PATH = "/api/v1/blind-matches"

MatchId = Annotated[str, typer.Argument(metavar="ID", help="As 'regcert blind list' shows it.")]
Note = Annotated[str, typer.Option(help="What is said with it; 'regcert blind show' says who has read what.")]
Objects = Annotated[str, typer.Option(metavar="ID,…", help="The objects to put forward; left out, all of yours with the value.")]


def list_matches(server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """List what you hold and somebody else holds where you do not see it; for the centre, what is to be forwarded."""
    from regcert.outbound.answers import inert
    from regcert.outbound.api import ask_pages

    found = asyncio.run(ask_pages(server, token, _PATH, "matches"))
    if as_json:
        print_json({"matches": found})
        return
    print_table(
        ("id", "state", "told", "ends", "value or teams", "held by"),
        ([inert(str(cell), 200) for cell in _row(one)] for one in found),
    )


def show_match(match: MatchId, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Show one blind match: who agreed, and what was said."""
    from regcert.outbound.answers import inert

    found = _ask(server, token, "GET", match)
    if as_json:
        print_json(found)
        return
    names = ("id", "state", "told", "ends", "value or teams", "held by")
    print_table(("", ""), ((name, inert(str(cell), 400)) for name, cell in zip(names, _row(found), strict=True)))
    opened = [one for one in items(found.get("opened")) if isinstance(one, dict)]
    if opened:
        rows = [(str(one.get("team")), ", ".join(map(str, items(one.get("objects"))))) for one in opened]
        print_table(("team", "objects"), ([inert(team, 60), inert(objects, 8000)] for team, objects in rows))
    said = [one for one in items(found.get("dialogue")) if isinstance(one, dict)]
    print_table(
        ("at", "by", "deed", "note"), ([inert(str(one.get(name)), 1000) for name in ("at", "by", "deed", "note")] for one in said)
    )


def ask(
    match: MatchId, note: Note, objects: Objects = "", server: Server = _LOCAL, token: Token = "", as_json: AsJson = False
) -> None:
    """Ask to be put in touch: you agree to be named to whoever agrees."""
    _act(server, token, match, "ask", note, objects, as_json)


def agree(
    match: MatchId, note: Note = "", objects: Objects = "", server: Server = _LOCAL, token: Token = "", as_json: AsJson = False
) -> None:
    """Agree to what was forwarded to you: both sides are named to each other."""
    _act(server, token, match, "agree", note, objects, as_json)


def refuse(match: MatchId, note: Note = "", server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Refuse to be named, or take back that you asked, before it is open."""
    _act(server, token, match, "refuse", note, "", as_json)


def forward(match: MatchId, note: Note = "", server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Forward, as a coordinator of the centre, what a side asked."""
    _act(server, token, match, "forward", note, "", as_json)


def close(match: MatchId, note: Note, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Close, as a coordinator of the centre, what is asked, for good."""
    _act(server, token, match, "close", note, "", as_json)


def _act(server: str, token: str, match: str, deed: str, note: str, objects: str, as_json: bool) -> None:
    from regcert.outbound.answers import inert

    order: dict[str, Any] = {"note": note}
    if objects:
        order["objects"] = [one.strip() for one in objects.split(",") if one.strip()]
    answer = _ask(server, token, "POST", match, f"/{deed}", order)
    if as_json:
        print_json(answer)
    else:
        tell(f"The blind match is {inert(str(answer.get('state')), 20)}.")


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    """Write a match in one line: as a side its value and who else holds it, as a coordinator the teams."""
    sides = [side for side in items(one.get("sides")) if isinstance(side, dict)]
    value, others = one.get("value") or {}, one.get("others") or {}
    what = ", ".join(f"{side.get('team')} ({side.get('stance')})" for side in sides) or value.get("value")
    where = ", ".join(sorted({str(side.get("marking")) for side in sides})) or f"{others.get('circles')}, {others.get('marking')}"
    return one.get("id"), one.get("state"), one.get("told"), one.get("ends"), what, where


def _ask(server: str, token: str, method: str, match: str, verb: str = "", order: dict[str, Any] | None = None) -> dict[str, Any]:
    from regcert.outbound.api import ask_api

    return asyncio.run(ask_api(server, token, method, f"{_PATH}/{quote(match, safe='')}{verb}", body=order))
