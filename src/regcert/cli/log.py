"""The commands around this host's transparency log: show it, check it, and say who watches it."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast.

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regcert.cli.host import AsJson, _open_host, _run
from regcert.cli.printing import print_json, print_table, tell
from regcert.clock import SystemClock
from regcert.errors import Code, Refusal
from regcert.stix.timestamps import write_timestamp

if TYPE_CHECKING:
    from regcert.flows.sign_log import HostLog
    from regcert.store.checkpoints import Witness
    from regcert.store.database import Database

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name that stands in its key.")]


def show(as_json: AsJson = False) -> None:
    """Show the log's name and key, and how far it is signed."""
    from regcert.store.checkpoints import find_newest, list_witnesses
    from regcert.store.log import count_leaves

    async def work() -> dict[str, Any]:
        async with _open_log() as (database, log):
            newest, witnesses = await database.run(find_newest()), await database.run(list_witnesses())
            return {
                "origin": log.origin,
                "verifier": log.verifier.text,
                "entries": await database.run(count_leaves()),
                "size": newest.size if newest else 0,
                "published_at": write_timestamp(newest.at_us) if newest else None,
                "witnesses": len(witnesses),
            }

    told = _run(work())
    if as_json:
        print_json(told)
    else:
        print_table(("what", "value"), ([name.replace("_", " "), str(value)] for name, value in told.items()))


def verify(as_json: AsJson = False) -> None:
    """Compute the whole log again, and name the first thing that is not as it was signed; a host may be at work meanwhile."""
    from regcert.flows.check_log import check_log

    async def work() -> dict[str, int]:
        async with _open_log() as (database, log):
            checked = await check_log(database, log)
        return {name: getattr(checked, name) for name in ("entries", "tiles", "checkpoints", "cosignatures")}

    told = _run(work())
    if as_json:
        print_json(told)
    else:
        tell("The log is as it was signed: " + ", ".join(f"{count} {name}" for name, count in told.items()) + ", and the lock.")


def add_witness(
    name: Name,
    verifier: Annotated[str, typer.Argument(metavar="KEY", help="Its public key: name+hash+base64.")],
    team: Annotated[str | None, typer.Option(metavar="SLUG", help="The team that runs it.")] = None,
) -> None:
    """Take the cosignatures of a witness."""
    from regcert.flows import add_witness as flow

    async def work() -> None:
        async with _open_host() as database:
            await flow.add_witness(database, SystemClock(), name, verifier, team)

    _run(work())
    tell(f"Cosignatures of {name} are taken from now on")


def list_witnesses(as_json: AsJson = False) -> None:
    """List the witnesses."""
    from regcert.store import checkpoints

    async def work() -> "list[Witness]":
        async with _open_host() as database:
            return await database.run(checkpoints.list_witnesses())

    listed = _run(work())
    if as_json:
        print_json([{"name": one.name, "verifier": one.verifier, "team": one.team} for one in listed])
    else:
        print_table(("witness", "key", "team"), ([one.name, one.verifier, one.team or ""] for one in listed))


def remove_witness(name: Name) -> None:
    """Take no more cosignatures of a witness; what it said stays."""
    from regcert.flows import remove_witness as flow

    async def work() -> None:
        async with _open_host() as database:
            await flow.remove_witness(database, SystemClock(), name)

    _run(work())
    tell(f"Cosignatures of {name} are not taken any more")


@asynccontextmanager
async def _open_log() -> "AsyncIterator[tuple[Database, HostLog]]":
    """Open the database and the log of a host as they are: nothing is signed, and nothing is refused that shall be looked at.

    Raises:
        Refusal: NOT_INITIALISED.
    """
    from regcert.assembly.parts import load_host_key
    from regcert.flows.open_log import lock_path
    from regcert.flows.sign_log import HostLog
    from regcert.settings import read_settings
    from regcert.signing.private_key import private_key_of
    from regcert.store.log_lock import LogLock
    from regcert.store.teams import read_facts

    settings = read_settings()
    async with _open_host() as database:
        async with database.read() as connection:
            origin = (await read_facts(connection)).get("log_origin")
        if not isinstance(origin, str):
            raise Refusal(Code.NOT_INITIALISED, "this host has no log yet; run 'regcert init', which brings it up to date")
        key = private_key_of(load_host_key(settings).derive("log"))
        yield database, HostLog(origin, key, LogLock(lock_path(settings.data_dir, settings.log_lock)))
