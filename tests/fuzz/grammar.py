"""Requests made by rule and spoilt by chance: every address of TAXII and the API, with what may and may not stand in it.

One seed makes one course of requests. Most are right in all but one place, because what is wrong everywhere is refused at the
first look and tests nothing behind it.
"""

import gzip
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import orjson

from tests.fuzz.spoiling import SCRAPS, spoil_bytes, spoil_value
from tests.hosting import ROOT, TAXII
from tests.made import indicator, sdo

# Nobody may hear these words again: what is asked is never repeated, and what is posted only where it is read as an object.
ASKED = "qzuestx7"
POSTED = "pqxosted9"
_ALIASES = (
    "regional-indicators",
    "regional-indicators",
    "regional-indicators",
    "team-alcirt",
    "public",
    "financial-sector-group",
    "team-srb-cert",
    "nowhere",
)
_ROOTS = (*(ROOT,) * 12, "/public", "/nowhere", "/taxii2")
_ADDRESSES = (
    "/taxii2", "{root}", "{root}/collections", "{root}/status/{id}", "{root}/collections/{alias}",
    "{root}/collections/{alias}/manifest", *("{root}/collections/{alias}/objects",) * 10,
    "{root}/collections/{alias}/objects/{id}",
    "{root}/collections/{alias}/objects/{id}/versions", *("/api/v1/sightings",) * 3, "/api/v1/incidents",
    "/api/v1/incidents/{id}",
    "/healthz", "/readyz",
)  # fmt: skip
_METHODS = ("GET",) * 20 + ("HEAD", "HEAD", "POST", "DELETE", "DELETE")
_ODD_METHODS = ("PUT", "PATCH", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "CONNECT", "get", "G\u00cbT")
_PIECES = (
    "..", "..%2f", "%2e%2e%2f", "%2F", "%00", "%ff", "%ED%A0%80", "%F0%9F%98%80", "%", "%zz", "//", ";a=b", "*", "{id}",
    "%0d%0a", "\\",
    "x" * 2000, ASKED, "%252f", "versions/", "+", "%E2%80%AE", "null",
)  # fmt: skip
_RAW = (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\x7f", b"\x80")
_FIELDS = ("limit", "next", "added_after", "match[id]", "match[type]", "match[version]", "match[spec_version]", "match%5Bid%5D")
_ODD_FIELDS = ("match[", "match[pattern]", "%00", "q", "", "limit[]", "LIMIT", "a" * 200, ASKED)
_VALUES = (
    "", "0", "1", "2", "-1", "1e3", "%D9%A1", "0x10", "1_0", "1%20", "9" * 30, "0" * 30 + "1", "1.0", "NaN", "%00", "%ff", ASKED,
    "2026-11-21T00:00:00Z", "2026-11-21T00:00:00+01:00", "2026-11-21T00:00:00%2B01:00", "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z", "2026-11-21T00:00:60Z", "all", "first,last", "all,first", "last",
    "indicator",
    "malware,indicator", "2.1", "2.0,2.1", ",,,", "%F0%9F%98%80", "%ED%A0%80", "bnVsbA", "W251bGwsbnVsbF0",
    "WzFlOTk5LCJ4Il0", "==", "A" * 300,
    "%27%20OR%201=1--", "%25", "*",
)  # fmt: skip
_HEADERS: dict[str, Sequence[str]] = {
    "Accept": ("*/*", "text/html", "application/taxii+json;version=2.0", "application/taxii+json;version=" + "9" * 50,
               ",,;;", "\xff", ASKED,
               ",".join(f"a/b{n}" for n in range(500)), ";q=" * 300, "application/json"),
    "Accept-Encoding": ("gzip", "zstd", "br", "*;q=0", "gzip;q=2", "\xff", "identity;q=0", ",".join(["gzip;q=0.5"] * 100)),
    "Content-Type": ("application/json", "application/stix+json", TAXII, "multipart/form-data; boundary=x", ";;",
                     "\xff/\xff", ASKED,
                     "application/json; charset=klingon", "application/taxii+json;version=" + "2.1;" * 100),
    "Content-Encoding": ("gzip", "br", "identity", "x, y", "gzip, gzip", "", "\xff", "x-gzip"),
    "Authorization": ("Basic", "Basic eDp5", "Basic \xff", "Bearer \xff", "Token  ", "Bearer " + ASKED,
                      "Basic " + "eA" * 400, "Digest x",
                      "Bearer a b", "Basic eDoA", "Bearer " + "x" * 5000),
    "Prefer": ("wait=0", "wait=-1", "wait=" + "9" * 30, "respond-async", "\xff", "wait=\xb2"),
    "If-None-Match": ("*", '"x"', 'W/"x"', ",".join(['"abc"'] * 300), "\xff", '"' + ASKED + '"'),
    "Range": ("bytes=0-1", "bytes=-1", ASKED),
    "Cookie": ("regcert=x", '=;;"', "regcert=\xff", "a=" + "b" * 3000),
    "X-HTTP-Method-Override": ("DELETE", ASKED),
    "X-Forwarded-For": ("' OR 1=1 --", "\xff"),
    "X-Forwarded-Proto": ("https", "\xff"),
    "Host": ("[", "x:y:z", "\xff", ASKED, ""),
    "Origin": ("null", "http://[", "http://evil.example"),
    "User-Agent": ("", "\xff", ASKED),
    "Upgrade": ("websocket",),  # of another protocol, aiohttp answers and then reads nothing more on that connection
    "Connection": ("keep-alive", "Upgrade", "x"),
    "Expect": ("100-continue",),
    "TE": ("trailers", "\xff"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asking:
    """One request as it goes out.

    Args:
        method: of its line.
        address: the template that it was made from.
        raw: all of its bytes.
        plain: whether its path was left as the template says.
        framed: whether its length is what it says: what follows it on its connection is read as a request.
    """

    method: str
    address: str
    raw: bytes
    plain: bool
    framed: bool = True


@dataclass(slots=True)
class Grammar:
    """Makes requests.

    Args:
        chance: where they come from.
        tokens: that are worth something.
        known: ids and cursors that the host gave; more are added as it answers.
    """

    chance: random.Random
    tokens: Sequence[str]
    known: list[str] = field(default_factory=lambda: [indicator()["id"]])

    def ask(self) -> Asking:
        """Make one request."""
        chance = self.chance
        address = chance.choice(_ADDRESSES)
        method = self._method(address)
        path, plain = self._path(address)
        target = path + self._query()
        headers = self._headers(address, method)
        body = self._body(address) if method in {"POST", "PUT", "PATCH", "DELETE"} and chance.random() < 0.95 else b""
        if headers.get("Content-Encoding", "").endswith("gzip") and chance.random() < 0.7:
            body = spoil_bytes(chance, gzip.compress(body, 1), 0.3)
        head = f"{method} ".encode() + target + (b" HTTP/1.0" if chance.random() < 0.005 else b" HTTP/1.1") + b"\r\n"
        head += b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items())
        if chance.random() < 0.02:
            return Asking(method, address, head + self._lie(body), plain, framed=False)
        return Asking(method, address, head + self._framed(body), plain and method != "CONNECT")

    def _method(self, address: str) -> str:
        if self.chance.random() < {"sightings": 0.9, "objects": 0.55}.get(address.rpartition("/")[2], 0):
            return "POST"
        return self.chance.choice(_ODD_METHODS if self.chance.random() < 0.04 else _METHODS)

    def _path(self, address: str) -> tuple[bytes, bool]:
        chance = self.chance
        parts = {"root": chance.choice(_ROOTS), "alias": chance.choice(_ALIASES), "id": chance.choice(self.known[-50:])}
        path = address.format(**parts) + (
            "" if address.startswith(("/api", "/health", "/ready")) else chance.choice(("", "/", "/", "/"))
        )
        if chance.random() < 0.85:
            return path.encode(), True
        place = chance.randrange(1, len(path) + 1)
        piece = chance.choice(_RAW) if chance.random() < 0.03 else chance.choice(_PIECES).encode()
        if chance.random() < 0.02:
            piece = b"x" * 100_000
        if chance.random() < 0.05:
            return b"http://other.example" + path.encode(), False
        return path[:place].encode() + piece + path[place:].encode(), False

    def _query(self) -> bytes:
        chance = self.chance
        if chance.random() < 0.35:
            return b""
        fields = []
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
            name = chance.choice(_FIELDS if chance.random() < 0.85 else _ODD_FIELDS)
            fields.append(f"{name}={self._field_value(name)}".encode())
        if chance.random() < 0.01:
            fields.append(chance.choice(_FIELDS).encode() + b"=" + chance.choice(_RAW))
        if chance.random() < 0.01:
            fields += [b"q%d=1" % number for number in range(2000)]
        return b"?" + chance.choice((b"&",) * 9 + (b";", b"&&", b"?")).join(fields)

    def _field_value(self, name: str) -> str:
        chance = self.chance
        if name in {"next", "match[id]"} and chance.random() < 0.4:
            known = chance.choice(self.known[-50:])
            return known if chance.random() < 0.5 else quote(spoil_bytes(chance, known.encode(), 1)[:2000])
        if name.startswith("match") and chance.random() < 0.02:
            return ",".join(f"v{number}" for number in range(10_000))
        return chance.choice(_VALUES)

    def _headers(self, address: str, method: str) -> dict[str, str]:
        chance = self.chance
        kind = "application/json" if address.startswith("/api") else TAXII
        headers = {"Host": "x", "Authorization": f"Bearer {chance.choice(self.tokens)}", "Accept": TAXII}
        if method in {"POST", "PUT", "PATCH"}:
            headers["Content-Type"] = kind
        for name, values in _HEADERS.items():
            if chance.random() < 0.025:
                headers[name] = chance.choice(values)
        if chance.random() < 0.01:
            headers |= {f"X-{number}": "1" for number in range(chance.choice((50, 100, 200)))}
        return headers

    def _body(self, address: str) -> bytes:
        chance = self.chance
        if address.endswith("sightings"):
            body = self._reports()
        else:
            body = orjson.dumps({"objects": [self._object() for _ in range(chance.choice((0, 1, 1, 1, 2, 5)))]})
        return spoil_bytes(chance, body, 0.25)

    def _object(self) -> Any:
        chance = self.chance
        makers: Sequence[Callable[[], Any]] = (
            lambda: indicator(f"[domain-name:value = '{POSTED}{chance.randrange(99)}.example']", name=POSTED),
            lambda: sdo("malware", is_family=False, name=POSTED),
            lambda: sdo("report", name=POSTED, published="2026-11-01T10:00:00Z", object_refs=[self._id()]),
            lambda: sdo("sighting", sighting_of_ref=self._id(), count=3),
            lambda: sdo("relationship", relationship_type="indicates", source_ref=self._id(), target_ref=self._id()),
            lambda: indicator(id=self._id(), name=POSTED, modified=f"2026-11-{chance.randrange(1, 30):02}T10:00:00Z"),
            lambda: indicator(lang=POSTED) | {POSTED: 1},
            lambda: chance.choice(SCRAPS),
        )  # fmt: skip
        made = chance.choice(makers)()
        if isinstance(made, dict) and made.get("id") not in {None, *self.known}:
            made["id"] = self._new_id(made["type"])
        return spoil_value(chance, made) if chance.random() < 0.6 else made

    def _id(self) -> str:
        found = [one for one in self.known[-50:] if one.startswith("indicator--")]
        return self.chance.choice(found) if found else self._new_id("indicator")

    def _new_id(self, kind: str) -> str:
        return f"{kind}--{uuid.UUID(int=self.chance.getrandbits(128), version=4)}"

    def _reports(self) -> bytes:
        chance = self.chance
        report: Any = {"value": f"{POSTED}{chance.randrange(99)}.example", "count": 2, "sector": POSTED}
        if chance.random() < 0.3:
            report = {"indicator": self._id(), "report_id": POSTED, "first_seen": "2026-11-01T10:00:00Z"}
        report = spoil_value(chance, report) if chance.random() < 0.6 else report
        return orjson.dumps(report if chance.random() < 0.5 else {"sightings": [report, chance.choice(SCRAPS)]})

    def _framed(self, body: bytes) -> bytes:
        chance = self.chance
        if not body or chance.random() < 0.7:
            return b"Content-Length: %d\r\n\r\n" % len(body) + body
        pieces, at = [], 0
        while at < len(body):
            size = chance.choice((1, 7, 100, 10_000))
            pieces.append(b"%x\r\n%b\r\n" % (len(body[at : at + size]), body[at : at + size]))
            at += size
            if len(pieces) > 300:
                pieces.append(b"%x\r\n%b\r\n" % (len(body[at:]), body[at:]) if body[at:] else b"")
                break
        return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n"

    def _lie(self, body: bytes) -> bytes:
        """Frame a body so that it cannot be believed."""
        length = len(body)
        lies = (
            b"Content-Length: %d\r\n\r\n" % (length + 100), b"Content-Length: %d\r\n\r\n" % max(length - 5, 0),
            b"Content-Length: -1\r\n\r\n", b"Content-Length: 99999999999999999999\r\n\r\n",
            b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (length, length + 1),
            b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % length,
            b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n",
            b"Transfer-Encoding: gzip\r\n\r\n", b"Transfer-Encoding: chunked, identity\r\n\r\n", b"X : y\r\n\r\n",
            b"\r\r\n\n\r\n",
            b"X: \x00\r\n\r\n", b" folded\r\n\r\n", b"X: " + b"y" * 20_000 + b"\r\n\r\n",
        )  # fmt: skip
        return self.chance.choice(lies) + body
