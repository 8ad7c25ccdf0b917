"""The command that tells what a team is told. It needs a server and a token, no host."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from regcert.cli.client import AsJson, Server, Token
from regcert.cli.printing import items, print_json, print_line, print_table, tell
from regcert.errors import Code, Refusal

WAIT_S = 30
AGAIN_AFTER_S = 5.0
MOST_PAGES = 1000
_LOCAL = "http://127.0.0.1:8080"


def list_alerts(
    follow: Annotated[bool, typer.Option("--follow", help="Go on, and print each alert as it comes, one a line.")] = False,
    after: Annotated[int, typer.Option(min=0, metavar="ID", help="Only what was told behind this alert.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="Also those that your team has seen.")] = False,
    mark_seen: Annotated[bool, typer.Option("--mark-seen", help="Mark what is printed as seen, for the whole team.")] = False,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Show what your team was told and has not seen: what crosses borders, what others saw, what comes close."""
    if follow:
        asyncio.run(_follow(server, token, after, everything=everything, mark_seen=mark_seen, as_json=as_json))
        return
    found = asyncio.run(_fetch_all(server, token, after, everything=everything))
    if as_json:
        print_json({"alerts": found})
    else:
        print_table(("id", "told", "kind", "marking", "countries", ">values", "what"), (_row(one) for one in found))
    if mark_seen:
        asyncio.run(_mark(server, token, found))


async def _fetch_all(server: str, token: str, after: int, *, everything: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async for page in _pages(server, token, after, everything=everything, wait_s=0):
        found += page
    return found


async def _follow(server: str, token: str, after: int, *, everything: bool, mark_seen: bool, as_json: bool) -> None:
    """Print alerts as they come, until somebody ends it; a host that is away for a while is asked again."""
    place = after
    while True:
        try:
            async for page in _pages(server, token, place, everything=everything, wait_s=WAIT_S):
                for one in page:
                    place = max(place, _number(one.get("id")))
                    print_line(json.dumps(one) if as_json else "  ".join(_row(one)))
                if mark_seen:
                    await _mark(server, token, page)
        except Refusal as refusal:
            if refusal.code not in {Code.UNREACHABLE, Code.BUSY}:
                raise
            tell(f"regcert: {refusal.message} [{refusal.code}]; asking again")
            await asyncio.sleep(AGAIN_AFTER_S)


async def _pages(server: str, token: str, after: int, *, everything: bool, wait_s: int) -> AsyncIterator[list[dict[str, Any]]]:
    """Read page after page to the end; with a wait, the end is where nothing came for so long."""
    from regcert.outbound.api import fetch_alerts

    for _ in range(MOST_PAGES):  # a host that never comes to an end must not keep us for ever
        answer = await fetch_alerts(server, token, after, only_unseen=not everything, wait_s=wait_s)
        page = [one for one in items(answer.get("alerts")) if isinstance(one, dict)]
        yield page
        following = _number(answer.get("next"))
        if following <= after or not (answer.get("more") or wait_s):
            return
        after = following


async def _mark(server: str, token: str, alerts: list[dict[str, Any]]) -> None:
    from regcert.outbound.api import ask_api

    for one in alerts:
        await ask_api(server, token, "POST", f"/api/v1/alerts/{_number(one.get('id'))}/seen")


def _row(alert: dict[str, Any]) -> tuple[str, ...]:
    """Show one alert; the words are the server's, so nothing about them is taken for granted."""
    from regcert.outbound.answers import inert

    countries = [inert(one.get("country"), 10) for one in items(alert.get("countries"))[:50] if isinstance(one, dict)]
    return (
        str(_number(alert.get("id"))),
        inert(alert.get("at"))[:16].replace("T", " "),
        inert(alert.get("kind"), 20),
        inert(alert.get("marking"), 20),
        ", ".join(countries),
        str(_number(alert.get("total"))),
        inert(alert.get("sentence"), 200),
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
