"""The commands of a host's operator: found it, serve, and say who takes part."""

# ruff: noqa: PLC0415, PLR0917
# Imports inside commands keep `--help` fast; a command's options are its function's arguments.

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from regcert.cli.printing import print_json, print_line, print_table, tell
from regcert.clock import SystemClock
from regcert.domain.collection import ApiRoot, Collection, SignatureRule
from regcert.domain.team import Team, TeamKind
from regcert.errors import Code, Refusal

if TYPE_CHECKING:
    from regcert.store.database import Database
    from regcert.taxii.profiles import Profile

T = TypeVar("T")

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="Lower case letters, digits and hyphens, at most 40.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def init(
    region: Annotated[Path | None, typer.Option(help="The region file; left out, the shipped Western Balkans.")] = None,
    as_json: AsJson = False,
) -> None:
    """Found this host: database, host key and region; prints one admin token, once."""
    from regcert.flows.initialise import initialise, read_region_file
    from regcert.settings import read_settings
    from regcert.share import share_dir

    settings = read_settings()
    path = region or share_dir() / "deploy" / "regions" / "western-balkans.toml"
    work = initialise(settings.data_dir, settings.database_url, SystemClock(), read_region_file(path), settings.log_lock)
    founded = _run(work)
    if as_json:
        print_json({"token": founded.token, "team": founded.team, "api_root": f"/{founded.api_root}/"})
        return
    tell(f"The host is ready; its API root is /{founded.api_root}/. The admin token of {founded.team}, shown this once:")
    print_line(founded.token)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any free one.")] = 8080,
) -> None:
    """Serve until told to stop (SIGINT or SIGTERM)."""
    from regcert.assembly.host import serve as serve_host
    from regcert.settings import read_settings
    from regcert.telemetry import set_up_logging

    settings = read_settings()
    _require_file(settings.database_url)
    set_up_logging(settings.log_level)
    _run(serve_host(settings, host, port))


def intake(descriptor: int) -> None:
    """Take what 'serve' hands over; it begins this itself."""
    from regcert.assembly.intake import take_in
    from regcert.settings import read_settings
    from regcert.telemetry import set_up_logging

    settings = read_settings()
    set_up_logging(settings.log_level)
    _run(take_in(settings, descriptor))


def add_team(
    slug: Slug,
    name: Annotated[str, typer.Option(help="As it writes itself.")],
    country: Annotated[str, typer.Option(metavar="CC", help="ISO 3166-1 alpha-2, XK, or ZZ for no one country.")],
    kind: Annotated[TeamKind, typer.Option(help="What it answers for.")],
    identity: Annotated[str | None, typer.Option(help="The id of its STIX identity; left out, a new one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add a team."""
    from regcert.cli.entries import read_team
    from regcert.flows import add_team as flow

    entry = read_team(slug, name, country, kind, identity or f"identity--{uuid.uuid4()}")

    async def work() -> Team:
        async with _open_host() as database:
            return await flow.add_team(database, SystemClock(), entry)

    team = _run(work())
    if as_json:
        print_json(_describe_team(team))
    else:
        tell(f"{team.slug} has joined; its STIX identity is {team.identity_id}")


def list_teams(as_json: AsJson = False) -> None:
    """List the teams."""
    from regcert.store import teams

    async def work() -> list[Team]:
        async with _open_host() as database, database.read() as connection:
            return await teams.list_teams(connection)

    listed = [_describe_team(team) for team in _run(work())]
    if as_json:
        print_json(listed)
    else:
        print_table(("team", "name", "country", "kind", "identity"), (list(one.values()) for one in listed))


def add_collection(
    slug: Slug,
    title: Annotated[str, typer.Option(help="Short, without '.' and ','.")],
    read: Annotated[str, typer.Option(metavar="all|TEAM,…", help="Who reads it.")],
    write: Annotated[str, typer.Option(metavar="all|TEAM,…", help="Who writes it.")],
    tlp: Annotated[str, typer.Option(metavar="TLP", help="The strictest marking: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.")],
    signature: Annotated[SignatureRule, typer.Option(help="Whether posts must be signed by their team.")],
    identifier: Annotated[str | None, typer.Option("--id", metavar="UUID", help="Version 4; left out, a new one.")] = None,
    description: Annotated[str, typer.Option(help="One line for people; left out, the title.")] = "",
    api_root: Annotated[str, typer.Option(metavar="SLUG", help="Its API root; left out, the region's own.")] = "",
    media_types: Annotated[str, typer.Option(metavar="a/b,…", help="What its objects may be of besides STIX 2.1.")] = "",
    blind_matching: Annotated[bool, typer.Option("--blind-matching", help="Its readers agreed to blind matches.")] = False,
    centre: Annotated[str, typer.Option(metavar="TEAM", help="As whom the host publishes its readers' incidents there.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a collection."""
    from regcert.cli.entries import read_collection
    from regcert.flows import add_collection as flow

    words = {"slug": slug, "title": title, "description": description or title, "uuid": identifier or str(uuid.uuid4())}
    entry = read_collection(
        words | ({"api_root": api_root} if api_root else {}),
        tlp=tlp,
        signature=signature,
        read=read,
        write=write,
        media_types=_split(media_types),
        blind_matching=blind_matching,
    )

    async def work() -> Collection:
        async with _open_host() as database:
            return await flow.add_collection(database, SystemClock(), replace(entry, centre=centre or None))

    collection = _run(work())
    if as_json:
        print_json(_describe_collection(collection))
    else:
        tell(f"{collection.slug} is open at {_describe_collection(collection)['path']}")


def set_blind_matching(
    slug: Slug,
    turn: Annotated[str, typer.Argument(metavar="on|off", help="Whether it takes part.")],
) -> None:
    """Let a collection take part in blind matching, or no longer; its readers have to agree to that first."""
    from regcert.flows import set_blind_matching as flow

    if turn not in {"on", "off"}:
        raise typer.BadParameter("say on or off")

    async def work() -> None:
        async with _open_host() as database:
            await flow.set_blind_matching(database, SystemClock(), slug, on=turn == "on")

    _run(work())
    tell(f"{slug} {'takes part in blind matching from now on' if turn == 'on' else 'takes no part in blind matching'}")


def list_collections(as_json: AsJson = False) -> None:
    """List the collections, with their ids and where they are."""
    from regcert.store import collections

    async def work() -> list[Collection]:
        async with _open_host() as database, database.read() as connection:
            return await collections.list_collections(connection)

    listed = [_describe_collection(collection) for collection in _run(work())]
    if as_json:
        print_json(listed)
    else:
        shown = ("id", "slug", "title", "ceiling", "signature", "api_root")
        print_table(
            ("id", "collection", "title", "ceiling", "signature", "API root"), ([one[key] for key in shown] for one in listed)
        )


def add_api_root(
    slug: Slug,
    title: Annotated[str, typer.Option(help="Short, without '.' and ','.")],
    description: Annotated[str, typer.Option(help="One line for people; left out, the title.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add an API root."""
    from regcert.cli.entries import read_api_root
    from regcert.flows import add_api_root as flow

    entry = read_api_root(slug, title, description or title)

    async def work() -> ApiRoot:
        async with _open_host() as database:
            return await flow.add_api_root(database, SystemClock(), entry)

    root = _run(work())
    if as_json:
        print_json(_describe_api_root(root, is_default=False))
    else:
        tell(f"The API root /{root.slug}/ is open")


def list_api_roots(as_json: AsJson = False) -> None:
    """List the API roots; the first is the default."""
    from regcert.store import collections

    async def work() -> list[ApiRoot]:
        async with _open_host() as database, database.read() as connection:
            return await collections.list_api_roots(connection)

    listed = [_describe_api_root(root, is_default=place == 0) for place, root in enumerate(_run(work()))]
    if as_json:
        print_json(listed)
    else:
        rows = ([one["path"], one["title"], one["description"], "yes" if one["default"] else ""] for one in listed)
        print_table(("path", "title", "description", "default"), rows)


def list_clients(as_json: AsJson = False) -> None:
    """List the clients that tokens can be made for, and what is done for each beyond the standard."""
    from regcert.flows.load_profiles import load_profiles

    profiles = load_profiles().values()
    if as_json:
        print_json([_describe_profile(profile) for profile in profiles])
    else:
        rows = ([one.name, one.title, ", ".join(one.describe_deviations()) or "none"] for one in profiles)
        print_table(("client", "software", "deviations"), rows)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the incidents and end.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 for any free one.")] = 8080,
) -> None:
    """Start the sample region in a folder of its own and play a week into it."""
    from regcert.cli import demo as sample

    sample.demo(once=once, port=port)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except OSError as error:  # a database that does not answer, a port that is taken
        sentence = f"{error.strerror or error}; check database_url, and --port if you serve"
        raise Refusal(Code.INVALID_SETTING, sentence) from error


@asynccontextmanager
async def _open_host() -> "AsyncIterator[Database]":
    """Open the database of a host that was founded.

    Raises:
        Refusal: NOT_INITIALISED.
    """
    from regcert.settings import read_settings
    from regcert.store.database import open_database
    from regcert.store.schema_version import require_migrated

    url = read_settings().database_url
    _require_file(url)
    await require_migrated(url)
    async with open_database(url, SystemClock()) as database:
        yield database


def _require_file(url: str) -> None:
    """Refuse an SQLite database that is not there: opening it would leave an empty one behind."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise Refusal(Code.NOT_INITIALISED, "there is no host here yet; run 'regcert init' first, or set REGCERT_DATA_DIR")


def _describe_team(team: Team) -> dict[str, str]:
    return {
        "slug": team.slug,
        "name": team.name,
        "country": team.country,
        "kind": team.kind.value,
        "identity": team.identity_id,
    }


def _describe_api_root(root: ApiRoot, *, is_default: bool) -> dict[str, Any]:
    return {
        "slug": root.slug,
        "title": root.title,
        "description": root.description,
        "path": f"/{root.slug}/",
        "default": is_default,
    }


def _describe_profile(profile: "Profile") -> dict[str, Any]:
    deviations = [{"what": what.value, "reason": reason} for what, reason in profile.reasons]
    return {
        "name": profile.name,
        "title": profile.title,
        "note": profile.note,
        "page_objects": profile.page_objects,
        "deviations": deviations,
    }


def _describe_collection(collection: Collection) -> dict[str, Any]:
    root = f"/{collection.api_root}/"
    return {
        "id": collection.uuid,
        "slug": collection.slug,
        "title": collection.title,
        "description": collection.description,
        "ceiling": collection.ceiling.label,
        "signature": collection.signature.value,
        "api_root": root,
        "path": f"{root}collections/{collection.uuid}/",
        "media_types": list(collection.media_types),
        "blind_matching": collection.blind_matching,
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
