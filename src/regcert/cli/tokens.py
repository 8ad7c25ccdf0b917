"""The commands around tokens: make one, list them, take one back."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regcert.cli.host import AsJson, _open_host, _run, _split
from regcert.cli.printing import print_json, print_line, print_table, tell
from regcert.clock import DAY_US, SECOND_US, SystemClock
from regcert.domain.principal import Role

if TYPE_CHECKING:
    from regcert.domain.token import TokenRecord

_SPAN = re.compile(r"([1-9][0-9]{0,4})([dw])")
_DAYS = {"d": 1, "w": 7}


def create_token(
    team: Annotated[str, typer.Option(metavar="SLUG", help="Whose it is.")],
    role: Annotated[Role, typer.Option(help="What it may do.")],
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    collections: Annotated[str, typer.Option(metavar="a,b", help="The only collections it opens.")] = "",
    networks: Annotated[list[str] | None, typer.Option("--network", metavar="CIDR", help="Where it is good from.")] = None,
    certificate: Annotated[str | None, typer.Option(metavar="SHA256", help="The client certificate it must come with.")] = None,
    expires: Annotated[str, typer.Option(metavar="90d", help="How long it is good for, in days or weeks.")] = "",
    client: Annotated[str | None, typer.Option(metavar="NAME", help="What shows it; 'regcert client list' names them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; it is shown this once, alone on standard output."""
    from regcert.flows import create_token as flow

    order = flow.TokenOrder(
        role,
        name or str(role),
        _split(collections),
        _read_span_us(expires) if expires else None,
        client,
        tuple(networks or ()),
        certificate,
    )

    async def work() -> str:
        async with _open_host() as database:
            return await flow.create_token(database, SystemClock(), team, order)

    token = _run(work())
    if as_json:
        print_json({"token": token, "team": team, "role": role})
    else:
        print_line(token)


def list_tokens(
    team: Annotated[str | None, typer.Option(metavar="SLUG", help="Only this team's.")] = None, as_json: AsJson = False
) -> None:
    """List the tokens: whose they are and what they are good for, never what they are."""
    from regcert.exports.token_json import token_json
    from regcert.flows import list_tokens as flow

    async def work() -> "list[TokenRecord]":
        async with _open_host() as database:
            return await flow.list_tokens(database, team)

    listed = _run(work())
    if as_json:
        print_json([token_json(one) for one in listed])
        return
    headings = (">id", "team", "role", "name", "networks", "collections", "created", "expires", "last used", "revoked")
    print_table(headings, [_row(one) for one in listed])


def revoke_token(
    token_id: Annotated[int, typer.Argument(metavar="ID", help="As 'regcert token list' shows it.")], as_json: AsJson = False
) -> None:
    """Revoke a token; it is worth nothing at once, and whoever waits with it is sent away."""
    from regcert.flows import revoke_token as flow

    async def work() -> None:
        async with _open_host() as database:
            await flow.revoke_token(database, SystemClock(), token_id)

    _run(work())
    if as_json:
        print_json({"id": token_id, "revoked": True})
    else:
        tell(f"Token {token_id} is revoked")


def _row(one: "TokenRecord") -> list[str]:
    times = (one.created_us, one.expires_us, one.used_us, one.revoked_us)
    held = [*one.networks, *([f"certificate {one.certificate[:12]}…"] if one.certificate else [])]
    name = f"{one.name} ({one.login})" if one.login else one.name
    words: list[Any] = [one.token_id, one.team, one.role, name, " ".join(held) or "any", " ".join(one.collections) or "all"]
    return [str(word) for word in words] + [_minute(at_us) for at_us in times]


def _minute(at_us: int | None) -> str:
    return "" if at_us is None else datetime.fromtimestamp(at_us / SECOND_US, UTC).strftime("%Y-%m-%d %H:%M")


def _read_span_us(text: str) -> int:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter("write a number of days or weeks, such as 90d or 12w", param_hint="--expires")
    return int(found[1]) * _DAYS[found[2]] * DAY_US
