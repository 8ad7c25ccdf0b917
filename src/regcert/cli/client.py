"""The commands of a team's analyst or machine: publish, pull, sight, incidents. They need a server and a token, no host."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, NamedTuple

import typer

from regcert.cli.printing import print_json, print_table, tell
from regcert.cli.verify import PolicyFile, RootsFile, pull_into_mirror, read_trust
from regcert.domain.sighting import SightingKind, is_technique, property_of
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.client import Object, Page
    from regcert.outbound.api import SightingsAnswer
    from regcert.outbound.batches import Written
    from regcert.outbound.taxii import Failure
    from regcert.verification.roots import Trust

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
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sign with your team's private key; asks its passphrase.")
    ] = None,
    declassify: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="With --key: lower the marking of this object on purpose.")
    ] = None,
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Publish bundle or envelope files; each object is sent as the bytes that it is.

    With --key, what the host would refuse is left out and told, and the rest is signed as one publication a thousand objects.
    """
    from regcert.outbound.taxii import Failure, TaxiiHost

    if declassify and key is None:
        raise Refusal(Code.MALFORMED_REQUEST, "--declassify is a signed statement: name your key with --key")

    written: list[Written] = []
    failures: list[Failure] = []
    for path in files:
        for one in _read_objects(path):
            (failures if isinstance(one, Failure) else written).append(one)  # type: ignore[arg-type]
    if key is None:
        with TaxiiHost(server, token) as host:
            report = host.publish_written(collection, written)
        failures += report.failures
        _tell_published(_Told(report.accepted, failures, None), as_json=as_json)
    else:
        _tell_published(_publish_signed(server, token, collection, written, key, declassify or [], failures), as_json=as_json)


class _Told(NamedTuple):
    """What became of a publication, and by which key it was signed; None where the host attests it."""

    accepted: int
    failures: "list[Failure]"
    key_id: str | None
    pending: int = 0


def _publish_signed(
    server: str,
    token: str,
    collection: str,
    written: "list[Written]",
    key_file: Path,
    declassify: list[str],
    failures: "list[Failure]",
) -> _Told:
    from regcert.cli.ceremony import open_key
    from regcert.client import Client, Options
    from regcert.outbound.answers import require_server
    from regcert.outbound.taxii import Failure

    key = open_key(key_file)
    with Client(f"{require_server(server)}/taxii2/", token, options=Options(proxies_from_environment=True)) as host:
        bodies = [one.body for one in written]
        report = host.publish_signed(collection, bodies, key, declassifies=declassify, drop_refused=True)
    refused = [Failure(one.stix_id, one.version, one.message) for one in report.failures]
    return _Told(report.accepted, [*failures, *refused], key.public.key_id, report.pending)


def _tell_published(told: _Told, *, as_json: bool) -> None:
    """Print what became of a publication, and who vouches for it."""
    vouched = "attested" if told.key_id is None else "signed"
    if as_json:
        refused = [{"id": one.stix_id, "version": one.version, "message": one.message} for one in told.failures]
        waiting = {"pending": told.pending} if told.pending else {}
        print_json({"accepted": told.accepted, "refused": refused, "vouched": vouched, "key": told.key_id} | waiting)
    else:
        whose = "attested by the host, not signed" if told.key_id is None else f"signed by key {told.key_id}"
        rows = [("accepted", f"{told.accepted} objects", whose)]
        if told.pending:
            rows.append(("waiting", f"{told.pending} objects", "for a second person's approval"))
        print_table(("", "object", "reason"), [*rows, *(("refused", one.stix_id, one.message) for one in told.failures)])
    if told.failures:
        raise typer.Exit(_PARTLY)


def pull(
    collection: CollectionName,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the bundle goes; an older one is replaced.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TS", help="Only what was added later, RFC 3339.")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Remembers how far was read; fetch only what is new.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Believe no host: keep a mirror, and verify every object.")] = False,
    mirror: Annotated[Path | None, typer.Option(metavar="DIR", help="With --verify: what is kept of this collection.")] = None,
    policy: PolicyFile = None,
    roots: RootsFile = None,
    fresh: Annotated[str, typer.Option(metavar="TIME", help="With --verify: how old the witnesses' word may be.")] = "10m",
    server: Server = _LOCAL,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Write a collection into one STIX bundle file, all of it or nothing; each object as the bytes that the server sent.

    With --verify, it is read into a mirror, and only what its team has signed goes into the file.
    """
    if verify:
        _pull_verified(collection, mirror, read_trust(policy, roots, fresh), server, token, out, as_json=as_json)
    elif out is None:
        raise Refusal(Code.MALFORMED_REQUEST, "name the file with --out, or with --verify the mirror with --mirror")
    else:
        _pull_plainly(collection, out, since, resume, server, token, as_json=as_json)


def _pull_plainly(
    collection: str, out: Path, since: str | None, resume: Path | None, server: str, token: str, *, as_json: bool
) -> None:
    from regcert.client import EVERYTHING, Client, Options, Position, ResumeFile
    from regcert.client.resume import listing_of
    from regcert.durable import replacing
    from regcert.outbound.answers import require_server
    from regcert.stix.timestamps import read_timestamp

    if since is not None:
        read_timestamp(since)
    bookmarks = None if resume is None else ResumeFile(resume)
    with Client(f"{require_server(server)}/taxii2/", token, options=Options(proxies_from_environment=True)) as host:
        source = host.collection(collection)
        listing = listing_of(source, EVERYTHING)
        position = None if bookmarks is None else bookmarks.find(listing)
        with replacing(out) as file:
            count, last_added = _write_bundle(file, host.pages(source, added_after=position.added_after if position else since))
    # Only now: the bundle is on disk, and what is noted as read must not be lost with it.
    if bookmarks is not None and last_added is not None:
        bookmarks.save(listing, Position(last_added, ended=True))
    if as_json:
        print_json({"objects": count, "file": str(out)})
    else:
        tell(f"{count} objects in {out}")


def _pull_verified(
    collection: str, mirror: Path | None, trust: "Trust", server: str, token: str, out: Path | None, *, as_json: bool
) -> None:
    if mirror is None:
        raise Refusal(Code.MALFORMED_REQUEST, "--verify keeps what it has seen: name a folder for this collection with --mirror")
    pull_into_mirror(collection, mirror, trust, server, token, out, as_json=as_json)


def sight(
    thing: Annotated[
        str | None,
        typer.Argument(metavar="[THING]", help="A value, defanged or not, the STIX id of what was seen, or a technique."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead: reports as JSON Lines; sent again, they change nothing.")
    ] = None,
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
    """Report that you saw something: a value, an indicator, a campaign, malware, a technique; or a file of such reports."""
    from regcert.cli.report_files import read_lines
    from regcert.outbound.api import report_lines, report_sightings

    if file is not None and thing is None:
        _tell_sighted(asyncio.run(report_lines(server, token, read_lines(file))), None, as_json=as_json)
        return
    if thing is None or file is not None:
        raise Refusal(Code.MALFORMED_REQUEST, "name one thing that you saw, or a file of reports with --file")
    told = {
        _property_of(thing): thing,
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
    _tell_sighted(answer, str(report["report_id"]), as_json=as_json)


def _property_of(thing: str) -> str:
    from regcert.stix.identifier import is_stix_id

    return property_of(thing) if is_stix_id(thing) or is_technique(thing) else "value"


def _tell_sighted(answer: "SightingsAnswer", report_id: str | None, *, as_json: bool) -> None:
    """Print what became of one report, or of a file of them, whose lines are counted from 1."""
    if as_json:
        name, first = ("line", 1) if report_id is None else ("index", 0)
        refused = [{name: one.index + first, "code": one.code, "message": one.message} for one in answer.refused]
        print_json({"accepted": answer.accepted, "refused": refused} | ({} if report_id is None else {"report_id": report_id}))
    elif report_id is None:
        tell(f"reported {answer.accepted} lines")
    elif answer.accepted:
        tell(f"reported, as {report_id}")
    for one in answer.refused:
        tell(f"regcert: {'' if report_id else f'line {one.index + 1}: '}{one.message} [{one.code}]")
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
    from regcert.outbound.batches import Written
    from regcert.outbound.taxii import Failure
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


def _write_bundle(file: IO[bytes], pages: "Iterable[Page[Object]]") -> tuple[int, str | None]:
    """Write pages as one bundle, each version of an object once.

    Returns:
        How many objects stand in it, and when the last of them was added.
    """
    from regcert.client.reader import new_ones

    count, last_added = 0, None
    seen: set[tuple[str, str | None]] = set()
    file.write(b'{"type":"bundle","id":"bundle--%b"' % str(uuid.uuid4()).encode())
    for page in pages:
        last_added = page.last_added or last_added
        for one in new_ones(page.objects, seen):
            file.write(b',"objects":[' if count == 0 else b",")
            file.write(one.body)
            count += 1
    file.write(b"]}\n" if count else b"}\n")  # STIX knows no empty list
    return count, last_added
