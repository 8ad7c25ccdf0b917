"""A small TAXII server in memory that keeps the standard, until a test switches a fault on."""

import asyncio
import base64
import gzip
import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from regcert.errors import Refusal
from regcert.stix.timestamps import read_timestamp, write_timestamp

TAXII = "application/taxii+json;version=2.1"
MOST_BYTES = 600_000
INBOX = "5f3c2f60-0d8c-4b0f-9f4c-6f0c8c1f3b01"
ARCHIVE = "5f3c2f60-0d8c-4b0f-9f4c-6f0c8c1f3b02"
DROP = "5f3c2f60-0d8c-4b0f-9f4c-6f0c8c1f3b03"
WRITER, READER = "writer-token", "reader-token"
_FIELDS = ("added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]")
_JSON = re.compile(r"(?:application/(?:taxii|stix)\+json|application/\*|\*/\*)", re.IGNORECASE)


@dataclass
class Row:
    """One version of one object."""

    added_us: int
    value: dict[str, Any]
    version: str
    version_us: int


class No(Exception):  # noqa: N818
    """An answer that says no."""

    def __init__(self, status: int, description: str = "no") -> None:
        super().__init__(description)
        self.status = status


@dataclass
class FaultyServer:
    """The server; `faults` are switched on by name."""

    faults: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    clock_us: int = 1_795_000_000_000_000

    def has(self, fault: str) -> bool:
        return fault in self.faults

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer anything."""
        if self.has("too-many"):
            self.faults.discard("too-many")
            return web.Response(status=429, headers={"Retry-After": "0"})
        try:
            response = await self._route(request)
        except No as no:
            response = self._error(request, no.status, str(no))
        if request.method == "HEAD" and response.status != 200:
            return response
        return self._dressed(request, response)

    async def _route(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path
        if not path.endswith("/") and self.has("slash-redirect"):
            return web.Response(status=301, headers={"Location": path + "/"})
        parts = [part for part in path.split("/") if part]
        who = self._who(request)
        self._require_acceptable(request)
        match parts:
            case ["taxii2"]:
                return self._get(request, self._discovery())
            case ["root"]:
                described = {"title": "Root", "versions": [TAXII], "max_content_length": MOST_BYTES}
                return self._get(request, described)
            case ["root", "collections"]:
                return self._get(request, {"collections": [self._collection(one) for one in self._seen(who)]})
            case ["root", "status", name] if name in self.statuses:
                if self.has("status-lost") or (who == READER and not self.has("status-for-all")):
                    raise No(404)
                return self._get(request, self.statuses[name])
            case ["root", "collections", name, *rest]:
                collection = self._named(who, name)
                return await self._in_collection(request, collection, rest)
        raise No(404)

    def _who(self, request: web.Request) -> str:
        values = request.headers.getall("Authorization", [])
        scheme, _, rest = (values[0] if len(values) == 1 else "").partition(" ")
        token = rest
        if scheme.lower() == "basic":
            try:
                token = base64.b64decode(rest, validate=True).decode().partition(":")[2]
            except ValueError:
                token = ""
        if self.has("open-post") and request.method == "POST":
            return WRITER
        known = scheme.lower() in {"basic", "bearer", "token"} and token in {WRITER, READER}
        if not known:
            raise No(401)
        return WRITER if self.has("reader-writes") and request.method in {"POST", "DELETE"} else token

    def _require_acceptable(self, request: web.Request) -> None:
        if self.has("accepts-all"):
            return
        offers = ",".join(request.headers.getall("Accept", ["*/*"])).split(",")
        for offer in offers:
            version = re.search(r'version\s*=\s*"?([\d.]+)', offer, re.IGNORECASE)
            if _JSON.match(offer.strip()) and (version is None or version[1] == "2.1"):
                return
        raise No(406)

    def _discovery(self) -> dict[str, Any]:
        default = "/other/" if self.has("default-elsewhere") else "/root/"
        return {"title": "Test", "default": default, "api_roots": ["/root/"]}

    def _seen(self, who: str) -> list[str]:
        return [ARCHIVE] if who == READER else [INBOX, ARCHIVE, DROP]

    def _named(self, who: str, name: str) -> str:
        name = INBOX if name == "inbox" and not self.has("alias-unknown") else name
        if name not in self._seen(who):
            raise No(404)
        return name

    def _collection(self, name: str) -> dict[str, Any]:
        described: dict[str, Any] = {"id": name, "title": {INBOX: "Inbox", ARCHIVE: "Archive", DROP: "Drop"}[name]}
        described |= {"can_read": name != DROP, "can_write": name != ARCHIVE}
        return described | ({"alias": "inbox"} if name == INBOX else {})

    async def _in_collection(self, request: web.Request, collection: str, rest: list[str]) -> web.Response:
        if not rest:
            return self._get(request, self._collection(collection))
        if request.method == "POST" and rest == ["objects"]:
            if collection == ARCHIVE:
                raise No(403)
            return await self._post(request)
        if collection == DROP or (request.method == "DELETE" and collection == ARCHIVE):
            raise No(403)
        rows = [] if collection == ARCHIVE and not self.has("next-opens-all") else self.rows
        match rest:
            case ["objects"]:
                return self._page(request, rows, "objects")
            case ["manifest"]:
                return self._page(request, rows, "manifest")
            case ["objects", name, *end] if end in ([], ["versions"]):
                mine = [row for row in rows if row.value["id"] == name]
                if not mine:
                    raise No(404)
                if request.method == "DELETE" and not end:
                    return self._delete(request, mine)
                return self._page(request, mine, "versions" if end else "object")
        raise No(404)

    # ---- reading

    def _query(self, request: web.Request) -> dict[str, str]:
        pairs = [(name, value) for name, value in request.rel_url.query.items() if name in _FIELDS]
        query = dict(pairs)
        if len(query) != len(pairs):
            raise No(400)
        if self.has("unknown-match-refused") and any(name not in _FIELDS for name in request.rel_url.query):
            raise No(400)
        return query

    def _page(self, request: web.Request, rows: list[Row], shape: str) -> web.Response:
        if request.method not in {"GET", "HEAD"}:
            raise No(405)
        query = self._query(request)
        start, query = self._start(query)
        found = self._filtered(rows, query, shape)
        rest = found[start:] if self.has("offset-paging") else [row for row in found if row.added_us > start]
        limit = self._limit(query.get("limit"))
        shown, more = rest[:limit], len(rest) > limit
        document: dict[str, Any] = {}
        name = "versions" if shape == "versions" else "objects"
        if shown or self.has("empty-lists"):
            document[name] = [self._shown(row, shape) for row in shown]
        if more or self.has("always-more"):
            document["more"] = True
        if (more and not self.has("more-without-next")) or self.has("next-without-more"):
            end = start + limit if self.has("offset-paging") else shown[-1].added_us if shown else 0
            document["next"] = self._cursor(end, query)
        if shape == "manifest" and self.has("manifest-without-next"):
            document.pop("next", None)
        if shape == "manifest" and self.has("manifest-without-way-on"):
            document.pop("next", None)
            shown = rest
        response = self._get(request, document)
        whole = found if self.has("ends-of-all") else shown
        if whole and not self.has("no-date-headers"):
            response.headers["X-TAXII-Date-Added-First"] = self._date(whole[0].added_us)
            response.headers["X-TAXII-Date-Added-Last"] = self._date(whole[-1].added_us)
        return response

    def _start(self, query: dict[str, str]) -> tuple[int, dict[str, str]]:
        if not query.get("next"):
            return 0, query
        if self.has("next-once-only") and query["next"] in self.used:
            raise No(400)
        self.used.add(query["next"])
        try:
            start, carried = json.loads(base64.urlsafe_b64decode(query["next"]))
            start = int(start)
        except (ValueError, TypeError) as error:
            if self.has("unknown-next-refused"):
                raise No(400) from error
            return 0, query
        if self.has("next-forgets"):
            carried = {}
        return start, (query | carried if self.has("next-widens") else carried | query)

    def _cursor(self, end: int, query: dict[str, str]) -> str:
        carried = {name: value for name, value in query.items() if name not in {"next", "limit"}}
        return base64.urlsafe_b64encode(json.dumps([end, carried]).encode()).decode()

    def _limit(self, text: str | None) -> int:
        if text is None:
            return 1000
        if not re.fullmatch(r"0*[1-9][0-9]*", text):
            if self.has("limit-unread"):
                return 1000
            raise No(400)
        if int(text) > 10_000 and self.has("large-limit-refused"):
            raise No(400)
        return min(int(text), 1000)

    def _filtered(self, rows: list[Row], query: dict[str, str], shape: str) -> list[Row]:
        after = self._after(query.get("added_after"))
        keep: list[Callable[[Row], bool]] = []
        for name in ("id", "type", "spec_version"):
            if f"match[{name}]" in query and not self.has(f"{name}-unmatched"):
                values = set(query[f"match[{name}]"].split(","))
                keep.append(lambda row, name=name, values=values: row.value.get(name, "2.1") in values)  # type: ignore[misc]
        joined = any if self.has("fields-widen") else all
        inclusive = 0 if self.has("inclusive-added-after") else 1
        found = [row for row in rows if row.added_us >= after + inclusive and (not keep or joined(one(row) for one in keep))]
        found = self._versions(found, query.get("match[version]"), shape)
        return sorted(found, key=lambda row: row.value["id"] if self.has("order-by-id") else row.added_us)

    def _after(self, text: str | None) -> int:
        if text is None:
            return -1
        try:
            return max(read_timestamp(text), 0)
        except Refusal as error:
            if self.has("added-after-unread"):
                return -1
            raise No(400) from error

    def _versions(self, rows: list[Row], wanted: str | None, shape: str) -> list[Row]:
        words = (wanted or ("all" if shape == "versions" else "last")).split(",")
        unit = 1000 if self.has("versions-in-milliseconds") else 1
        found = []
        for name in dict.fromkeys(row.value["id"] for row in rows):
            mine = [row for row in rows if row.value["id"] == name]
            ordered = mine if self.has("latest-by-arrival") else sorted(mine, key=lambda row: row.version_us)
            for row in mine:
                exact = {self._instant(word) // unit for word in words if word not in {"all", "first", "last"}}
                chosen = "all" in words or ("last" in words and row is ordered[-1]) or ("first" in words and row is ordered[0])
                if chosen or row.version_us // unit in exact:
                    found.append(row)
        return sorted(found, key=lambda row: row.added_us)

    def _instant(self, text: str) -> int:
        try:
            return read_timestamp(text)
        except Refusal as error:
            raise No(400) from error

    def _shown(self, row: Row, shape: str) -> Any:
        if shape == "versions":
            return self._version(row)
        if shape == "manifest":
            return {"id": row.value["id"], "date_added": self._date(row.added_us), "version": self._version(row)}
        value = row.value
        if self.has("drops-custom"):
            value = {name: one for name, one in value.items() if not name.startswith("x_")}
        return value | ({"date_added": self._date(row.added_us)} if self.has("adds-property") else {})

    def _version(self, row: Row) -> str:
        if self.has("version-1970") and "created" not in row.value:
            return "1970-01-01T00:00:00.000000Z"
        return write_timestamp(row.version_us) if self.has("version-reformatted") else row.version

    def _date(self, at_us: int) -> str:
        text = write_timestamp(at_us)
        return text[:-4] + "Z" if self.has("dates-in-milliseconds") else text

    # ---- writing

    async def _post(self, request: web.Request) -> web.Response:
        media_type = request.headers.get("Content-Type", "").lower().replace('"', "").replace(" ", "")
        name, _, rest = media_type.partition(";")
        plain = name in {"application/taxii+json", "application/stix+json"} and "version=2.1" in f"{rest};version=2.1"
        other = re.search(r"version=(?!2\.1)", rest)
        if (not plain or other) and not self.has("any-content-type"):
            raise No(415)
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise No(415)
        body = await request.read()
        most = MOST_BYTES - 1 if self.has("limit-one-short") else MOST_BYTES
        unbounded = self.has("limit-unkept") or (self.has("chunks-unbounded") and request.content_length is None)
        if len(body) > most and not unbounded:
            raise No(413)
        objects = self._read(body)
        status = self._take(objects)
        if not self.has("status-forgotten"):
            self.statuses[status["id"]] = status
        response = self._get(request, status, posted=True)
        response.set_status(202)
        return response

    def _read(self, body: bytes) -> list[Any]:
        try:
            envelope = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise No(400) from error
        if not isinstance(envelope, dict) or not isinstance(envelope.get("objects", []), list):
            raise No(422)
        if self.has("bundle-refused") and "type" in envelope:
            raise No(422)
        return list(envelope.get("objects", []))

    def _take(self, objects: list[Any]) -> dict[str, Any]:
        successes: list[Any] = []
        failures: list[Any] = []
        self.clock_us += 1000
        for number, value in enumerate(objects):
            added_us = self.clock_us + (0 if self.has("one-date-for-a-post") else number)
            reason, entry = self._record(value, added_us)
            (failures if reason else successes).append(entry | ({"message": reason} if reason else {}))
        self.clock_us += len(objects)
        return self._status(successes, failures)

    def _record(self, value: Any, added_us: int) -> tuple[str, dict[str, Any]]:
        if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in ("id", "type")):
            return "not an object", {"id": "unknown", "version": write_timestamp(added_us)}
        if self.has("observable-500") and "created" not in value:
            raise No(500)
        if self.has("marking-500") and value["type"] == "marking-definition":
            raise No(500)
        text = value.get("modified") or value.get("created")
        version = text or write_timestamp(added_us)
        same = [row for row in self.rows if row.value["id"] == value["id"] and (text is None or row.version == version)]
        entry = {"id": value["id"], "version": same[0].version if same else version}
        if isinstance(value.get("pattern", ""), int):
            return "not a pattern", entry
        if same and self.has("duplicate-redelivered"):
            same[0].added_us = added_us
        if same and not self.has("duplicate-stored"):
            changed = same[0].value != value
            return "another content" if changed else "is here" if self.has("duplicate-fails") else "", entry
        self.rows.append(Row(added_us, value, version, read_timestamp(version)))
        return "", entry

    def _status(self, successes: list[Any], failures: list[Any]) -> dict[str, Any]:
        names = {"status-id-uuid1": str(uuid.uuid1()), "status-id-again": "7b0ec9a6-9b57-4a5e-8a37-4d5c38a4a3c1"}
        status_id = next((names[fault] for fault in names if self.has(fault)), str(uuid.uuid4()))
        status: dict[str, Any] = {"id": status_id, "status": "complete", "request_timestamp": self._date(self.clock_us)}
        if self.has("status-reformats"):
            for one in successes:
                one["version"] = write_timestamp(read_timestamp(one["version"]))
        wrong = 1 if self.has("total-wrong") else 0
        status |= {"total_count": len(successes) + len(failures) + wrong, "success_count": len(successes)}
        status |= {"failure_count": len(failures), "pending_count": 0}
        if not self.has("status-without-details"):
            lists = {"successes": successes, "failures": failures}
            status |= {name: one for name, one in lists.items() if one or self.has("empty-lists")}
        return status

    def _delete(self, request: web.Request, mine: list[Row]) -> web.Response:
        if self.has("delete-refused"):
            raise No(403)
        if not self.has("delete-does-nothing"):
            query = self._query(request)
            if self.has("delete-takes-all"):
                query = {}
            query.setdefault("match[version]", "all")
            gone = {id(row) for row in self._filtered(mine, query, "object")}
            self.rows = [row for row in self.rows if id(row) not in gone]
        return web.Response(status=200, text="{}", headers={"Content-Type": TAXII})

    # ---- answering

    def _get(self, request: web.Request, document: Any, *, posted: bool = False) -> web.Response:
        if request.method not in {"GET", "HEAD"} and not posted:
            raise No(405)
        body = json.dumps(document, ensure_ascii=False).encode()
        media_type = "application/json" if self.has("plain-json") else TAXII
        return web.Response(body=body, headers={"Content-Type": media_type})

    def _error(self, request: web.Request, status: int, description: str) -> web.Response:
        headers = {"Allow": "GET"} if status == 405 else {}
        if status == 401 and not self.has("no-challenge"):
            headers["WWW-Authenticate"] = 'Basic realm="test"'
        if self.has("html-errors"):
            return web.Response(status=status, text="<h1>Error</h1>", headers=headers, content_type="text/html")
        number: Any = status if self.has("status-as-number") else str(status)
        description += request.path if self.has("echo") else ""
        error = {"title": "No", "description": description, "http_status": number}
        media_type = "application/json" if self.has("json-errors") else TAXII
        return web.Response(status=status, body=json.dumps(error).encode(), headers=headers | {"Content-Type": media_type})

    def _dressed(self, request: web.Request, response: web.Response) -> web.Response:
        body = response.body
        if response.status != 200 or not isinstance(body, bytes):
            return response
        seen = b"" if self.has("etag-stands-still") else body
        etag = f'"{hashlib.sha256(seen).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        response.headers["ETag"] = etag
        if request.headers.get("Accept-Encoding") == "gzip":
            response.body = b"no gzip" if self.has("gzip-broken") else gzip.compress(body)
            response.headers["Content-Encoding"], response.headers["Vary"] = "gzip", "Accept-Encoding"
        return response


@asynccontextmanager
async def serving(server: FaultyServer) -> AsyncIterator[str]:
    """Listen on a free port of the loopback; yields the address."""
    app = web.Application(client_max_size=MOST_BYTES * 4)
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, max_line_size=65_536, max_field_size=65_536)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def answering_with(raw: bytes | None) -> AsyncIterator[str]:
    """Answer every connection with these bytes; with None, accept it and say nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if raw is None:
                await reader.read()  # until the other side gives up
            else:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(raw)
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
