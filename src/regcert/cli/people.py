"""The commands around people who sign in to the console."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regcert.cli.host import AsJson, _open_host, _run
from regcert.cli.printing import print_json, print_line, print_table, tell
from regcert.clock import SECOND_US, SystemClock
from regcert.domain.principal import Role
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.flows.add_person import Enrolled
    from regcert.store.people import PersonRecord

PASSWORD = "REGCERT_PASSWORD"  # noqa: S105 - the name of a variable

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Their name here; letters are small.")]
Subject = Annotated[str, typer.Option("--subject", metavar="SUB", help="Their 'sub' at the OpenID provider of this host.")]


def add_person(
    login: Login,
    team: Annotated[str, typer.Option(metavar="SLUG", help="Whose member they are.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    subject: Subject = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody sign in; asks for a password, or reads REGCERT_PASSWORD, and shows what their telephone needs, once.

    With --subject they come through the OpenID provider alone, and have no password.
    """
    from regcert.flows import add_person as flow

    known_as = _account(subject) if subject else None
    order = flow.PersonOrder(login, team, role, None if subject else _ask_password(), known_as)

    async def work() -> "Enrolled":
        async with _open_host() as database:
            return await flow.add_person(database, SystemClock(), _totp_key(), order)

    _show(_run(work()), as_json=as_json)


def reset_person(login: Login, as_json: AsJson = False) -> None:
    """Give somebody a new password and a new secret for their codes; their sessions end."""
    from regcert.flows import reset_person as flow

    password = _ask_password()

    async def work() -> "Enrolled":
        async with _open_host() as database:
            return await flow.reset_person(database, SystemClock(), _totp_key(), login, password)

    _show(_run(work()), as_json=as_json)


def remove_person(login: Login, as_json: AsJson = False) -> None:
    """Let somebody in no more, at once."""
    from regcert.flows import remove_person as flow

    async def work() -> None:
        async with _open_host() as database:
            await flow.remove_person(database, SystemClock(), login)

    _run(work())
    _done(login, "is let in no more", as_json=as_json)


def link_person(
    login: Login, subject: Subject = "", none: Annotated[bool, typer.Option("--none", help="Take it away.")] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say which account of the OpenID provider signs somebody in."""
    from regcert.flows import link_person as flow

    if bool(subject) is none:
        raise typer.BadParameter("name the account with --subject, or take it away with --none", param_hint="--subject")
    known_as = None if none else _account(subject)

    async def work() -> None:
        async with _open_host() as database:
            await flow.link_person(database, SystemClock(), login, known_as)

    _run(work())
    _done(login, "comes by no other account" if none else "comes by that account, too", as_json=as_json)


def list_people(as_json: AsJson = False) -> None:
    """List who signs in."""
    from regcert.store import people

    async def work() -> "list[PersonRecord]":
        async with _open_host() as database:
            return await database.run(people.list_people())

    listed = [_describe(one) for one in _run(work())]
    if as_json:
        print_json(listed)
        return
    headings = ("login", "team", "role", ">token", "password", "account", "created", "last used", "locked until")
    print_table(headings, ([_word(value) for value in one.values()] for one in listed))


def _show(enrolled: "Enrolled", *, as_json: bool) -> None:
    if as_json:
        print_json({"login": enrolled.login, "secret": enrolled.secret or None, "uri": enrolled.uri or None})
    elif enrolled.uri:
        tell(f"{enrolled.login} may sign in. Their authenticator app needs this, shown this once:")
        tell(f"scan the address as a QR code, or type the secret {enrolled.secret}")
        print_line(enrolled.uri)
    else:
        tell(f"{enrolled.login} may sign in through the OpenID provider")


def _done(login: str, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"login": login})
    else:
        tell(f"{login} {what}")


def _describe(one: "PersonRecord") -> dict[str, Any]:
    is_locked = one.locked_until_us > SystemClock().now_us()
    return {
        "login": one.login,
        "team": one.team,
        "role": one.role,
        "token": one.token_id,
        "password": one.has_password,
        "account": one.has_account,
        "created": _time(one.created_us),
        "last_used": _time(one.used_us),
        "locked_until": _time(one.locked_until_us) if is_locked else None,
    }


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else datetime.fromtimestamp(at_us // SECOND_US, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _ask_password() -> str:
    """Ask twice at a prompt; a script hands it over in the environment, which others on the machine cannot read."""
    given = os.environ.get(PASSWORD)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise Refusal(Code.INVALID_SETTING, f"give the password in {PASSWORD}, or run this at a terminal")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _totp_key() -> bytes:
    from regcert.assembly.parts import load_host_key
    from regcert.settings import read_settings

    return load_host_key(read_settings()).derive("totp")


def _account(subject: str) -> str:
    from regcert.identity.id_tokens import account
    from regcert.settings import read_settings

    issuer = read_settings().oidc_issuer
    if not issuer:
        raise Refusal(Code.INVALID_SETTING, "set oidc_issuer and oidc_client_id first: an account is one at a provider")
    if len(subject) > 255 or not subject.isprintable():
        raise Refusal(Code.MALFORMED_REQUEST, "a subject has at most 255 printable characters")
    return account(issuer, subject)
