"""The commands of a team's analyst or machine: publish, pull, sight, incidents. They need a server and a token, no host."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from regcert.cli.printing import print_json, print_table, tell
from regcert.domain.sighting import SightingKind
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.outbound.taxii import Failure, Written

MOST_FILE_BYTES = 512 * 1024 * 1024
_PARTLY = 1

Server = Annotated[str, typer.Option(envvar="REGCERT_SERVER", help="The host's address.")]
Token = Annotated[str, typer.Option(envvar="REGCERT_TOKEN", help="Better in the environment: others see command lines.")]
CollectionName = Annotated[str, typer.Option("--collection", metavar="SLUG", help="The collection's slug or id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_LOCAL = "http://127.0.0.1:8080"


def publish(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="STIX bundles or TAXII envelopes.")],
    collection: CollectionName,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Publish bundle or envelope files; each object is sent as the bytes that it is."""
    from regcert.outbound.taxii import Failure, TaxiiHost

    written: list[Written] = []
    failures: list[Failure] = []
    for path in files:
        for one in _read_objects(path):
            (failures if isinstance(one, Failure) else written).append(one)  # type: ignore[arg-type]
    with TaxiiHost(server, token) as host:
        report = host.publish_written(collection, written)
    failures += report.failures
    if as_json:
        refused = [{"id": one.stix_id, "version": one.version, "message": one.message} for one in failures]
        print_json({"accepted": report.accepted, "refused": refused})
    else:
        rows = [("accepted", f"{report.accepted} objects", "")]
        print_table(("", "object", "reason"), [*rows, *(("refused", one.stix_id, one.message) for one in failures)])
    if failures:
        raise typer.Exit(_PARTLY)


def pull(
    collection: CollectionName,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the bundle goes; an older one is replaced.")],
    since: Annotated[str | None, typer.Option(metavar="TS", help="Only what was added later, RFC 3339.")] = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Write a collection into one STIX bundle file, all of it or nothing."""
    import json

    from regcert.outbound.taxii import TaxiiHost
    from regcert.stix.timestamps import read_timestamp

    if since is not None:
        read_timestamp(since)
    count = 0
    with TaxiiHost(server, token) as host, _replacing(out) as file:
        file.write(b'{"type":"bundle","id":"bundle--%b"' % str(uuid.uuid4()).encode())
        for count, one in enumerate(host.pull(collection, since), 1):
            file.write(b',"objects":[' if count == 1 else b",")
            file.write(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))
        file.write(b"]}\n" if count else b"}\n")  # STIX knows no empty list
    if as_json:
        print_json({"objects": count, "file": str(out)})
    else:
        tell(f"{count} objects in {out}")


def sight(
    thing: Annotated[str, typer.Argument(metavar="VALUE|INDICATOR", help="A value, defanged or not, or an indicator's id.")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="How often.")] = 1,
    kind: Annotated[SightingKind, typer.Option(help="What you say about it.")] = SightingKind.POSITIVE,
    first_seen: Annotated[str | None, typer.Option(metavar="TS", help="RFC 3339; left out, now.")] = None,
    last_seen: Annotated[str | None, typer.Option(metavar="TS", help="RFC 3339.")] = None,
    sector: Annotated[str | None, typer.Option(help="Your word for the sector hit.")] = None,
    collection: Annotated[str | None, typer.Option(metavar="SLUG", help="Where to file it.")] = None,
    report_id: Annotated[str | None, typer.Option(help="Your name for the report; the same again changes nothing.")] = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Report that you saw something."""
    from regcert.outbound.api import report_sightings
    from regcert.stix.identifier import is_stix_id

    told = {
        "indicator" if is_stix_id(thing) else "value": thing,
        "kind": kind.value,
        "count": count,
        "first_seen": first_seen,
        "last_seen": last_seen,
        "sector": sector,
        "collection": collection,
        "report_id": report_id or str(uuid.uuid4()),
    }
    report = {name: value for name, value in told.items() if value is not None}
    answer = asyncio.run(report_sightings(server, token, [report]))
    if as_json:
        refused = [{"index": one.index, "code": one.code, "message": one.message} for one in answer.refused]
        print_json({"accepted": answer.accepted, "refused": refused, "report_id": report["report_id"]})
    elif answer.accepted:
        tell(f"reported, as {report['report_id']}")
    for one in answer.refused:
        tell(f"regcert: {one.message} [{one.code}]")
    if answer.refused:
        raise typer.Exit(_PARTLY)


def incidents(server: Server = _LOCAL, token: Token = "", as_json: AsJson = False) -> None:
    """Show what crosses borders, the highest score first."""
    from regcert.outbound.api import fetch_incidents

    found = asyncio.run(fetch_incidents(server, token))
    if as_json:
        print_json({"incidents": found, "next": None})
        return
    headings = (">score", "marking", "spread", ">teams", ">values", ">sightings", "last seen")
    print_table(headings, (_incident_row(one) for one in found))


def _incident_row(incident: dict[str, object]) -> tuple[str, ...]:
    """Show one incident; the words are the server's, so nothing about them is taken for granted."""
    from regcert.outbound.answers import inert

    def items(name: str) -> list[object]:
        value = incident.get(name)
        return value if isinstance(value, list) else []

    number: Callable[[object], str] = lambda value: str(value) if isinstance(value, int | float) else "?"  # noqa: E731
    spread = [inert(arrival.get("country"), 10) for arrival in items("countries")[:50] if isinstance(arrival, dict)]
    return (
        number(incident.get("score")),
        inert(incident.get("marking"), 20),
        " → ".join(spread),
        str(len(items("teams"))),
        str(len(items("observables"))),
        number(incident.get("sightings")),
        inert(incident.get("last_seen"))[:16].replace("T", " "),
    )


def _read_objects(path: Path) -> "Iterator[Written | Failure]":
    """Read the objects of a file, with those that no host would take as failures.

    Raises:
        Refusal: the file as a whole cannot be read.
    """
    from regcert.outbound.taxii import Failure, Written
    from regcert.stix.reader import read_envelope

    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise Refusal(Code.TOO_LARGE, f"{path.name} is larger than {MOST_FILE_BYTES} bytes; split it")
        body = path.read_bytes()
    except OSError as error:
        raise Refusal(Code.MALFORMED_REQUEST, f"{path.name} cannot be read: {error.strerror}") from error
    try:
        objects = list(read_envelope(body))
    except Refusal as refusal:
        raise Refusal(refusal.code, f"{path.name}: {refusal.message}") from refusal
    if not objects:
        raise Refusal(Code.MALFORMED_REQUEST, f"{path.name} holds no objects; is it a STIX bundle or a TAXII envelope?")
    for read in objects:
        if isinstance(read, Refusal):
            yield Failure("unknown", "", str(read))
        else:
            yield Written(str(read.value.get("type")), read.body)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside its name and move it there when it is whole; whatever stops us leaves the old one."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            unfinished = Path(file.name)
            try:
                yield file  # type: ignore[misc]
                file.flush()
                os.fsync(file.fileno())
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be written: {error.strerror}") from error
