"""The commands around what a team protects. They need a server and a token, no host."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from regcert.cli.client import AsJson, Server, Token
from regcert.cli.printing import print_json, print_line, tell
from regcert.errors import Code, Refusal

_LOCAL = "http://127.0.0.1:8080"
_MOST_BYTES = 1024 * 1024

Team = Annotated[str, typer.Option("--team", metavar="SLUG", help="Your own.")]


def list_protected(team: Team, server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """List the networks and domains that your team protects; nobody else is told."""
    from regcert.outbound.answers import inert
    from regcert.outbound.api import ask_api

    answer = asyncio.run(ask_api(server, token, "GET", _path(team)))
    if as_json:
        print_json(answer)
        return
    listed = answer.get("protected")
    for one in listed if isinstance(listed, list) else ():
        print_line(inert(one, 300))


def set_protected(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One a line, # begins a remark; - is standard input.")],
    team: Team,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Put a list of networks, addresses and domains in the place of what your team protects."""
    from regcert.outbound.api import ask_api

    lines = (line.partition("#")[0].strip() for line in _read(file).splitlines())
    answer = asyncio.run(ask_api(server, token, "PUT", _path(team), body={"protected": [line for line in lines if line]}))
    listed = answer.get("protected")
    if as_json:
        print_json(answer)
    else:
        tell(f"{len(listed) if isinstance(listed, list) else 0} entries are protected.")


def _read(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read(_MOST_BYTES + 1) if str(file) == "-" else file.read_bytes()
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(Code.MALFORMED_REQUEST, f"{file.name} cannot be read as text; check its path and its encoding") from error
    if len(content) > _MOST_BYTES:
        raise Refusal(Code.TOO_LARGE, f"{file.name} is larger than {_MOST_BYTES} bytes; name networks and domains")
    return text


def _path(team: str) -> str:
    return f"/api/v1/teams/{quote(team, safe='')}/protected"
