"""The commands around what waits for a second person. They need a server and a token, no host."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
from typing import Annotated, Any
from urllib.parse import quote

import typer

from regcert.cli.client import AsJson, Server, Token
from regcert.cli.printing import items, print_json, print_table, tell

_LOCAL = "http://127.0.0.1:8080"
_PATH = "/api/v1/proposals"

ProposalId = Annotated[str, typer.Argument(metavar="ID", help="As 'regcert proposal list' shows it.")]


def list_proposals(server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """List what waits for a second person and concerns you, the newest first."""
    from regcert.outbound.answers import inert
    from regcert.outbound.api import ask_pages

    found = asyncio.run(ask_pages(server, token, _PATH, "proposals"))
    if as_json:
        print_json({"proposals": found})
        return
    shown = ("id", "kind", "team", "by", "collection", "expires", "reason")
    print_table(shown, ([inert(one.get(name) or "", 200) for name in shown] for one in found))


def show_proposal(proposal: ProposalId, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Show what exactly waits: who asks, which objects, how they are marked, or which keys."""
    from regcert.outbound.answers import inert

    found = _ask(server, token, "GET", proposal)
    if as_json:
        print_json(found)
        return
    names = ("id", "kind", "state", "team", "by", "collection", "reason", "needs", "created", "expires")
    print_table(("", ""), ((name, inert(str(found.get(name) or ""), 400)) for name in names))
    post, key_list = found.get("post"), found.get("key_list")
    if isinstance(post, dict):
        shown = ("id", "type", "version", "marking", "name")
        rows = [one for one in items(post.get("listed")) if isinstance(one, dict)]
        print_table(("object", *shown[1:], "takes back"), (
            [*(inert(one.get(name) or "", 200) for name in shown), "yes" if one.get("revoked") else ""] for one in rows
        ))  # fmt: skip
        tell(f"{len(rows)} of {inert(str(post.get('objects')), 20)} objects are shown.")
    if isinstance(key_list, dict):
        rows = [one for one in items(key_list.get("keys")) if isinstance(one, dict)]
        print_table(("key", "status"), ([inert(one.get("key_id") or "", 64), inert(one.get("status") or "", 20)] for one in rows))


def approve_proposal(proposal: ProposalId, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Agree to what somebody else asked for."""
    _decide(server, token, proposal, "approve", as_json)


def refuse_proposal(proposal: ProposalId, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Refuse what somebody else asked for, for good."""
    _decide(server, token, proposal, "refuse", as_json)


def withdraw_proposal(proposal: ProposalId, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Take back what you, or your team, asked for."""
    _decide(server, token, proposal, "withdraw", as_json)


def _decide(server: str, token: str, proposal: str, verb: str, as_json: bool) -> None:
    from regcert.outbound.answers import inert

    answer = _ask(server, token, "POST", proposal, f"/{verb}")
    if as_json:
        print_json(answer)
    else:
        tell(f"The proposal is {inert(str(answer.get('state')), 20)}.")


def _ask(server: str, token: str, method: str, proposal: str, verb: str = "") -> dict[str, Any]:
    from regcert.outbound.api import ask_api

    return asyncio.run(ask_api(server, token, method, f"{_PATH}/{quote(proposal, safe='')}{verb}"))
