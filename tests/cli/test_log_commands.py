"""The commands around a host's log: what they tell, and with which exit code they say that something was changed."""

import asyncio
import sqlite3
from pathlib import Path

from regcert.clock import SystemClock
from regcert.settings import Settings
from regcert.signing.note import witness_key
from regcert.signing.private_key import private_key_of
from regcert.store.database import open_database
from tests.logs import catch_up, enter, opened

WITNESS = witness_key("w.example", private_key_of(b"w" * 32)).text


def sign(count: int) -> None:
    """Enter something into the log of the host in this folder, and sign it."""

    async def work() -> None:
        settings, clock = Settings(), SystemClock()
        async with open_database(settings.database_url, clock) as database:
            log = await opened(settings, database, clock)
            await enter(database, count)
            await catch_up(database, clock, log)

    asyncio.run(work())


def test_log_is_shown_and_checked(founded):
    """By its own commands, for people and for scripts."""
    sign(3)
    told = founded("log", "show", "--json").json
    assert (told["entries"], told["size"], told["witnesses"]) == (3, 3, 0)
    assert told["verifier"].startswith(told["origin"] + "+")
    checked = founded("log", "verify", "--json")
    assert (checked.code, checked.json) == (0, {"entries": 3, "tiles": 1, "checkpoints": 2, "cosignatures": 0})
    assert "as it was signed" in founded("log", "verify").err
    assert told["origin"] in founded("log", "show").out


def test_witness_is_entered_listed_and_removed(founded):
    """Its key must be a witness's, and name it."""
    assert founded("log", "witness", "add", "w.example", WITNESS, "--team", "alcirt").code == 0
    assert founded("log", "witness", "list", "--json").json == [{"name": "w.example", "verifier": WITNESS, "team": "alcirt"}]
    assert "w.example" in founded("log", "witness", "list").out
    again = founded("log", "witness", "add", "w.example", WITNESS)
    assert (again.code, "[already-exists]" in again.err) == (1, True)
    assert founded("log", "witness", "remove", "w.example").code == 0
    assert founded("log", "witness", "list", "--json").json == []
    assert "[not-found]" in founded("log", "witness", "remove", "w.example").err


def test_lock_is_made_again_as_the_operators_page_says(founded):
    """From the newest checkpoint in the database; then the log is whole, and the host starts."""
    sign(3)
    lock = Path("var/log.lock")
    lock.unlink()
    gone = founded("log", "verify")
    assert (gone.code, "[log-fork]" in gone.err) == (16, True)
    assert "[log-fork]" in founded("serve", "--port", "0").err
    with sqlite3.connect("var/regcert.db") as connection:
        lock.write_bytes(connection.execute("SELECT note FROM log_checkpoints ORDER BY size DESC LIMIT 1").fetchone()[0])
    assert founded("log", "verify").code == 0
    sign(1)


def test_damage_is_named_with_an_exit_code_of_its_own(founded):
    """A script that runs every night must not read sentences."""
    sign(3)
    with sqlite3.connect("var/regcert.db") as connection:
        connection.execute("UPDATE log_leaves SET entry = x'00' WHERE leaf_index = 1")
    connection.close()
    damaged = founded("log", "verify")
    assert (damaged.code, "entry 1 is not what it was" in damaged.err) == (16, True)


def test_log_commands_are_refused_where_there_is_no_host(regcert):
    """And leave nothing behind."""
    for command in (("show",), ("verify",), ("witness", "list")):
        assert "[not-initialised]" in regcert("log", *command).err
    assert list(Path().iterdir()) == []
