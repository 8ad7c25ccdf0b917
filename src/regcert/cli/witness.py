"""The commands of a witness: make its key, run it, hold two checkpoints side by side. They need no host of one's own."""

# ruff: noqa: PLC0415
# Imports inside commands keep `--help` fast.

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regcert.cli.client import Server, Token
from regcert.cli.printing import print_line, tell
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.domain.verifier_key import VerifierKey
    from regcert.translog.checkpoint import Checkpoint
    from regcert.translog.tiles import Place
    from regcert.verification.comparing import Comparison
    from regcert.verification.witness import Witness
    from regcert.verification.witnessing import Rounds

_LOCAL = "http://127.0.0.1:8080"
_DURATION = re.compile(r"([1-9][0-9]{0,5})(s|m|h)", re.ASCII)
_UNIT_S = {"s": 1, "m": 60, "h": 3600}
_MOST_NOTE_BYTES = 1024 * 1024

Log = Annotated[str, typer.Option("--log", metavar="VKEY", help="The log's verifier key, from a person you trust.")]


def new(
    name: Annotated[str, typer.Option(help="The witness's name, such as cert.example/witness.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the private key goes; only you can read it.")],
) -> None:
    """Make a witness's key; the verifier key that is printed is what others need."""
    from regcert.signing.note_key import new_witness_key

    key = new_witness_key(name)
    try:
        # Made with its mode, and never over another key.
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise Refusal(Code.ALREADY_EXISTS, f"{out.name} is there already; a witness keeps its key") from error
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{out.name} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.write())
        file.flush()
        os.fsync(file.fileno())
    print_line(key.verifier.text)


def run(
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's key.")],
    log: Log,
    state: Annotated[Path, typer.Option(metavar="DIR", help="Where it remembers the log; keep it, and give each log its own.")],
    server: Server = _LOCAL,
    token: Token = "",
    once: Annotated[bool, typer.Option(help="Look once and end.")] = False,
    every: Annotated[str, typer.Option(metavar="TIME", help="How often to look, as in 15s, 2m or 1h.")] = "15s",
    refresh: Annotated[str, typer.Option(metavar="TIME", help="When to cosign again what is still the newest.")] = "5m",
) -> None:
    """Watch a host's log and cosign what continues it, until told to end."""
    from regcert.clock import SystemClock
    from regcert.signing.note_key import MOST_KEY_BYTES, read_witness_key
    from regcert.verification.witness import Witness
    from regcert.verification.witnessing import Rounds

    witness = Witness(read_witness_key(_read(key, MOST_KEY_BYTES)), _log(log), state, SystemClock())
    asyncio.run(_run(witness, server, token, Rounds(_seconds(every), _seconds(refresh)), once=once))


def compare(
    notes: Annotated[tuple[Path, Path], typer.Argument(metavar="A.note B.note", help="Two checkpoints of one log.")],
    log: Log,
    tiles: Annotated[Path | None, typer.Option(metavar="DIR", help="A copy of the log's tiles, where the sizes differ.")] = None,
    server: Annotated[str, typer.Option(help="Or a host that has them.")] = "",
    token: Token = "",
) -> None:
    """Hold two checkpoints side by side, as they came by telephone or mail: one history or two?"""
    from regcert.signing.note import read_note
    from regcert.verification.comparing import Comparison
    from regcert.verification.comparing import compare as compare_checkpoints
    from regcert.verification.witnessed import require_checkpoint

    read = [read_note(_read(path, _MOST_NOTE_BYTES)) for path in notes]
    one, other = (require_checkpoint(note, _log(log)) for note in read)
    found = compare_checkpoints(one, other)
    if found is Comparison.UNDECIDED and (tiles or server):
        found = asyncio.run(_compare_by_tiles(one, other, tiles, server, token))
    if found is Comparison.UNDECIDED:
        raise Refusal(
            Code.INVALID_PROOF, "the sizes differ and no tiles decide: give --tiles or --server of a true copy of the log"
        )
    if found is Comparison.FORK:
        for note in read:
            print_line(note.write().decode())
        raise Refusal(Code.LOG_FORK, "the log has signed two histories: both notes are the proof; show them to the other members")
    larger = max(one, other, key=lambda checkpoint: checkpoint.size)
    print_line(f"agree: {larger.origin}, {min(one.size, other.size)} and {larger.size} entries are one history")


async def _run(witness: "Witness", server: str, token: str, rounds: "Rounds", *, once: bool) -> None:
    """Run until the work ends by itself or somebody asks the process to end."""
    from regcert.clock import SystemClock
    from regcert.outbound.wire import open_wire
    from regcert.verification.log_reader import TIMEOUT_S, LogReader
    from regcert.verification.witnessing import keep_witnessing, witness_once

    async with open_wire(server, TIMEOUT_S, proxies_from_environment=True) as wire:
        reader = LogReader(wire, server, token)
        if once:
            _say(await witness_once(reader, witness, SystemClock(), rounds.refresh_s))
            return
        work = asyncio.ensure_future(keep_witnessing(reader, witness, SystemClock(), rounds, _say))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            tell("the witness has ended; it goes on from here when it is started again")


async def _compare_by_tiles(one: "Checkpoint", other: "Checkpoint", folder: Path | None, server: str, token: str) -> "Comparison":
    from regcert.outbound.wire import open_wire
    from regcert.verification.comparing import compare_by_tiles, tiles_to_compare
    from regcert.verification.log_reader import TIMEOUT_S, LogReader

    places, size = tiles_to_compare(one, other), max(one.size, other.size)
    if folder is not None:
        return compare_by_tiles(one, other, {place: _read_tile(folder, place, size) for place in places})
    async with open_wire(server, TIMEOUT_S, proxies_from_environment=True) as wire:
        return compare_by_tiles(one, other, await LogReader(wire, server, token).fetch_tiles(places, size))


def _read_tile(folder: Path, place: "Place", size: int) -> bytes:
    from regcert.translog.tiles import TILE_WIDTH, TileName, tile_width
    from regcert.translog.tree import HASH_BYTES

    path = folder / TileName(*place, tile_width(*place, size)).path
    return _read(path if path.exists() else folder / TileName(*place).path, TILE_WIDTH * HASH_BYTES)


def _say(what: "Checkpoint | Refusal | None") -> None:
    if isinstance(what, Refusal):
        tell(f"regcert: {what.message} [{what.code}]")
    elif what is not None:
        print_line(f"cosigned {what.size} {what.root.hex()}")
        sys.stdout.flush()  # whoever follows the output of a service wants to see it now


def _log(text: str) -> "VerifierKey":
    from regcert.domain.verifier_key import NoteKeyKind, read_verifier_key

    key = read_verifier_key(text)
    if key.kind is not NoteKeyKind.ED25519:
        raise Refusal(Code.INVALID_SETTING, "--log takes the key of a log; this one is a witness's")
    return key


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Refusal(Code.INVALID_SETTING, "a time is a number and a unit, as in 15s, 2m or 1h")
    return float(int(found[1]) * _UNIT_S[found[2]])


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > most_bytes:
        raise Refusal(Code.TOO_LARGE, f"{path.name} is larger than {most_bytes} bytes; it is something else")
    return data
