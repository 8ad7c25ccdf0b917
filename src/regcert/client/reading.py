"""From a server's bytes to the values in `resources.py`: as lenient as the standard allows, and never a traceback.

An object is cut out of its page as it stands, not parsed and written anew: msgspec finds where it begins and ends. That numbers
are safe or keys stand once is not asked here, because an object that is left out is an object lost; who stores objects asks.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from regcert.client.cutting import cut_page
from regcert.client.resources import ApiRoot, Collection, Discovery, Failure, ManifestEntry, Object, Page, Status
from regcert.errors import Refusal
from regcert.outbound.answers import inert, unreadable

Read = TypeVar("Read")


class _Head(msgspec.Struct):
    id: str
    type: str = ""
    modified: str | None = None
    created: str | None = None


class _Frame(msgspec.Struct):
    objects: list[msgspec.Raw] | None = None
    versions: list[str] | None = None
    more: bool | None = None
    next: str | int | None = None


class _ManifestRecord(msgspec.Struct):
    id: str
    date_added: str = ""
    version: str = ""
    media_type: str | None = None


class _Discovery(msgspec.Struct):
    api_roots: list[str] | None = None
    default: str | None = None
    title: str | None = None
    description: str | None = None
    contact: str | None = None


class _ApiRoot(msgspec.Struct):
    title: str | None = None
    description: str | None = None
    versions: list[str] | None = None
    max_content_length: int | None = None


class _Collection(msgspec.Struct):
    id: str
    title: str | None = None
    description: str | None = None
    alias: str | None = None
    can_read: bool = True
    can_write: bool = True
    media_types: list[str] | None = None


class _Collections(msgspec.Struct):
    collections: list[_Collection] | None = None


class _Detail(msgspec.Struct):
    id: str = ""
    version: str | None = None
    message: str | None = None


class _Status(msgspec.Struct):
    id: str
    status: str
    total_count: int = 0
    success_count: int = 0
    failure_count: int = 0
    pending_count: int = 0
    request_timestamp: str | None = None
    successes: list[_Detail] | None = None
    failures: list[_Detail] | None = None
    pendings: list[_Detail] | None = None


def read_discovery(body: bytes, address: str) -> Discovery:
    """Read the discovery resource; addresses in it may be relative to its own (§4.1)."""
    read = _decode(body, _Discovery)
    roots = tuple(dict.fromkeys(_resolved(address, root) for root in read.api_roots or ()))
    default = _resolved(address, read.default) if read.default else None
    return Discovery(read.title or "", read.description or "", read.contact or "", default, roots)


def read_api_root(body: bytes, address: str) -> ApiRoot:
    """Read an API root (§4.2)."""
    read = _decode(body, _ApiRoot)
    most = read.max_content_length
    return ApiRoot(address, read.title or "", read.description or "", tuple(read.versions or ()), most)


def read_collections(body: bytes, root: str) -> tuple[Collection, ...]:
    """Read the list of collections (§5.1)."""
    return tuple(_collection(one, root) for one in _decode(body, _Collections).collections or ())


def read_status(body: bytes) -> Status:
    """Read the status of a POST (§4.3)."""
    read = _decode(body, _Status)
    failures = (Failure(inert(one.id), inert(one.version, 64), inert(one.message, 400)) for one in read.failures or ())
    return Status(
        id=read.id,
        status=read.status,
        request_timestamp=read.request_timestamp,
        total_count=read.total_count,
        success_count=read.success_count,
        failure_count=read.failure_count,
        pending_count=read.pending_count,
        successes=tuple((one.id, one.version or "") for one in read.successes or ()),
        failures=tuple(failures),
        pendings=tuple((one.id, one.version or "") for one in read.pendings or ()),
    )


def read_page(body: bytes, headers: Mapping[str, str]) -> Page[Object]:
    """Read an envelope, cutting out each object as it stands (§3.7)."""
    try:
        frame = _decode(body, _Frame)
        objects = [bytes(one) for one in frame.objects or ()]
    except Refusal:
        try:
            rest, objects = cut_page(body)
            frame = msgspec.convert({name: rest.get(name) for name in ("more", "next")}, _Frame)
        except (ValueError, RecursionError) as error:
            raise unreadable() from error
    return _page(frame, tuple(read_object(one) for one in objects), headers)


def read_manifest(body: bytes, headers: Mapping[str, str]) -> Page[ManifestEntry]:
    """Read a page of a manifest (§5.3.1)."""
    frame = _decode(body, _Frame)
    records = (_decode(bytes(one), _ManifestRecord) for one in frame.objects or ())
    entries = tuple(ManifestEntry(one.id, one.date_added, one.version, one.media_type or "") for one in records)
    return _page(frame, entries, headers)


def read_versions(body: bytes, headers: Mapping[str, str]) -> Page[str]:
    """Read a page of the versions of an object (§5.8.1)."""
    frame = _decode(body, _Frame)
    return _page(frame, tuple(frame.versions or ()), headers)


def read_object(body: bytes) -> Object:
    """Read so much of an object as names it.

    Raises:
        Refusal: REFUSED_BY_SERVER where it is no JSON object with an id.
    """
    try:
        head = _decode(body, _Head)
    except Refusal:
        try:
            head = msgspec.convert(json.loads(body), _Head)
        except (ValueError, RecursionError) as error:
            raise unreadable() from error
    return Object(head.id, head.type, head.modified or head.created, body)


def segment(name: str) -> str:
    """Write an id as one segment of an address.

    Raises:
        Refusal: REFUSED_BY_SERVER for one that would lead elsewhere.
    """
    if name in {"", ".", ".."}:
        raise unreadable()
    return quote(name, safe="")


def _decode(body: bytes, kind: type[Read]) -> Read:
    try:
        if not body.isascii():
            body.decode()  # msgspec looks into no text that it does not hand out
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:
        raise unreadable() from error


def _page(frame: _Frame, items: tuple[Any, ...], headers: Mapping[str, str]) -> Page[Any]:
    cursor = None if frame.next is None or frame.next == "" else str(frame.next)
    return Page(
        objects=items,
        more=frame.more if frame.more is not None else cursor is not None,
        next=cursor,
        first_added=headers.get("X-TAXII-Date-Added-First"),
        last_added=headers.get("X-TAXII-Date-Added-Last"),
        etag=headers.get("ETag"),
        waited="wait" in headers.get("Preference-Applied", "").lower(),
    )


def _collection(one: _Collection, root: str) -> Collection:
    return Collection(
        address=f"{root}collections/{segment(one.id)}/",
        root=root,
        id=one.id,
        alias=one.alias,
        title=one.title or "",
        description=one.description or "",
        can_read=one.can_read,
        can_write=one.can_write,
        media_types=tuple(one.media_types or ()),
    )


def _resolved(base: str, address: str) -> str:
    """Make an address absolute, with the trailing slash that every address of the standard has, and without a query."""
    try:
        parts = urlsplit(urljoin(base, address))
    except ValueError as error:
        raise unreadable() from error
    return parts._replace(path=parts.path.rstrip("/") + "/", query="", fragment="").geturl()
