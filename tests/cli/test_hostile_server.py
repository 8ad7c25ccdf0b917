"""A server may be a stranger: whatever it answers, the client ends soon, with one harmless line."""

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from regcert.client import Bounds, Client, Object, Options
from regcert.errors import Code, Refusal
from regcert.outbound import api, bounded
from regcert.outbound.answers import inert, refusal_of
from regcert.outbound.api import fetch_incidents, report_sightings
from regcert.outbound.taxii import PublishReport, TaxiiHost

TAXII = "application/taxii+json;version=2.1"
ROOT = {"title": "r", "versions": [TAXII], "max_content_length": 10_000}
ONE = {"id": "a6df37a9-3b96-434f-9b5b-cdea3c50ad8a", "alias": "c", "title": "c", "can_read": True, "can_write": True}
HONEST: dict[str, Any] = {
    "/taxii2/": {"title": "t", "api_roots": ["/r/"]},
    "/r/": ROOT,
    "/r/collections/": {"collections": [ONE]},
}
OBJECTS = f"/r/collections/{ONE['id']}/objects/"
Stranger = Callable[[dict[str, Any]], str]


@dataclass
class Turns:
    """Answers that come one after the other."""

    left: list[Any]


class Answers(BaseHTTPRequestHandler):
    """Answers each path with what the test put there: JSON, or a status with raw bytes and headers."""

    answers: dict[str, Any]
    asked: list[str]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        self.asked.append(self.path)
        answer = self.answers.get(path, (404, b"{}", {}))
        if isinstance(answer, Turns):
            answer = answer.left.pop(0)
        status, body, headers = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode(), {})
        self.send_response(status)
        for name, value in {"Content-Type": TAXII, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def asked() -> list[str]:
    """What the stranger was asked."""
    return []


@pytest.fixture
def stranger(asked: list[str]) -> Iterator[Stranger]:
    """A server that answers as a test tells it to."""

    class Told(Answers):
        pass

    Told.answers, Told.asked = dict(HONEST), asked
    server = ThreadingHTTPServer(("127.0.0.1", 0), Told)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def tell(answers: dict[str, Any]) -> str:
        Told.answers.update(answers)
        return f"http://127.0.0.1:{server.server_port}"

    yield tell
    server.shutdown()
    thread.join()
    server.server_close()


def pull(server: str, options: Options | None = None) -> list[Object]:
    with Client(server, "token", options=options) as client:
        return list(client.objects("c"))


def publish(server: str, count: int = 1) -> PublishReport:
    with TaxiiHost(server, "token") as host:
        return host.publish("c", [{"type": "indicator"}] * count)


def refusal(work: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/taxii2/", []),
        ("/taxii2/", {"title": "t"}),
        ("/taxii2/", {"title": "t", "api_roots": 7}),
        ("/taxii2/", {"title": "t", "api_roots": ["http://elsewhere.example/r/"]}),
        ("/taxii2/", (200, b"<html>", {"Content-Type": "text/html"})),
        ("/taxii2/", (200, b"{" * 100_000, {})),
        ("/taxii2/", (200, b"[" * 100_000, {})),
        ("/taxii2/", (302, b"", {"Location": "http://elsewhere.example/"})),
        ("/r/collections/", {"collections": [{"title": "no id"}]}),
        ("/r/collections/", {"collections": {"a": 1}}),
        (OBJECTS, "text"),
        (OBJECTS, {"objects": 7}),
        (OBJECTS, {"objects": ["text"]}),
        (OBJECTS, {"objects": [{"type": "no id"}]}),
        (OBJECTS, {"objects": [{"id": "a"}], "more": True, "next": "for ever"}),
        (OBJECTS, {"objects": [], "more": True, "next": "n"}),
        (OBJECTS, (403, b'{"title": "No", "description": "not you"}', {})),
        (OBJECTS, (500, b"\xff", {})),
    ],
)
def test_answer_is_refused_when_it_is_not_taxii(stranger, path, answer):
    """Neither a traceback nor an endless loop, whatever comes instead of the standard's answer."""
    assert refusal(lambda: pull(stranger({path: answer}))).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/taxii2/", []),
        ("/taxii2/", {"title": "t"}),
        ("/taxii2/", {"title": "t", "api_roots": 7}),
        ("/taxii2/", (200, b"<html>", {"Content-Type": "text/html"})),
        ("/taxii2/", (200, b"[" * 100_000, {})),
        ("/r/collections/", {"collections": [{"title": "no id"}]}),
        ("/r/collections/", {"collections": {"a": 1}}),
        (OBJECTS, "text"),
        (OBJECTS, {"id": "s", "status": "complete"}),
        (OBJECTS, (403, b'{"title": "No", "description": "not you"}', {})),
        (OBJECTS, (500, b"\xff", {})),
    ],
)
def test_publishing_is_refused_when_an_answer_is_not_taxii(stranger, path, answer):
    """The other client is as careful."""
    assert refusal(lambda: publish(stranger({path: answer}))).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize("ask", [pull, publish])
def test_token_stays_with_its_host_when_api_root_is_elsewhere(stranger, asked, ask):
    """A server cannot send our token to another one, not even to another port of its own."""
    refusal(lambda: ask(stranger({"/taxii2/": {"title": "t", "api_roots": ["http://127.0.0.1:9/r/"]}})))
    assert asked == ["/taxii2/"]


def test_reading_ends_when_answer_is_larger_than_any(stranger, monkeypatch):
    """An answer is counted as it comes, whatever length it claims."""
    monkeypatch.setattr(bounded, "MOST_ANSWER_BYTES", 1000)
    server = stranger({"/taxii2/": (200, b" " * 200_000, {})})
    for said in (refusal(lambda: pull(server, Options(Bounds(1000)))), refusal(lambda: publish(server))):
        assert said.code is Code.REFUSED_BY_SERVER
        assert "larger" in said.message


def test_redirect_is_not_followed_when_a_token_would_go_along(stranger, asked):
    """No client goes where a redirect points, not even on the same host."""
    away = (307, b"", {"Location": "/elsewhere"})
    server = stranger({"/taxii2/": away, "/api/v1/incidents": away})
    refusal(lambda: pull(server))
    refusal(lambda: publish(server))
    refusal(lambda: asyncio.run(fetch_incidents(server, "t")))
    assert [path.partition("?")[0] for path in asked] == ["/taxii2/", "/taxii2/", "/api/v1/incidents"]


@pytest.mark.parametrize(("count", "size", "requests"), [(1000, 1, 1), (1001, 1, 2), (4, 4000, 2), (2, 20_000, 2), (0, 0, 0)])
def test_publication_is_cut_when_a_request_would_be_too_large(stranger, asked, count, size, requests):
    """At most a thousand objects and at most the server's bytes go in one request; what is too large alone goes alone."""
    status = {"id": "s", "status": "complete", "total_count": 0, "success_count": 0, "failure_count": 0, "pending_count": 0}
    room = {**ROOT, "max_content_length": 10_000 if size > 1 else 1_000_000}
    with TaxiiHost(stranger({OBJECTS: status, "/r/": room}), "token") as host:
        host.publish("c", [{"type": "indicator", "name": "x" * size}] * count)
    assert asked.count(OBJECTS) == requests


def test_publication_goes_on_when_server_is_busy_in_the_middle(stranger, asked):
    """A server that says "later" is asked again, as often as patience lasts; one 503 among several requests ends nothing."""
    status = {"id": "s", "status": "complete", "total_count": 1, "success_count": 1, "failure_count": 0, "pending_count": 0}
    busy = [(number, b"{}", {"Retry-After": "0"}) for number in (503, 429)]
    room = {**ROOT, "max_content_length": 1_000_000}
    assert publish(stranger({"/r/": room, OBJECTS: Turns([status, *busy, status])}), 1001).accepted == 2
    assert asked.count(OBJECTS) == 4
    assert refusal(lambda: publish(stranger({OBJECTS: Turns(busy * 3)}))).code is Code.BUSY
    assert asked.count(OBJECTS) == 9


def test_incidents_end_when_pages_do_not(stranger, monkeypatch):
    """A list that never ends is left."""
    monkeypatch.setattr(api, "MOST_PAGES", 5)
    server = stranger({"/api/v1/incidents": {"incidents": [{}], "next": "n"}})
    assert refusal(lambda: asyncio.run(fetch_incidents(server, "t"))).code is Code.REFUSED_BY_SERVER


@pytest.mark.parametrize(
    "answer",
    [
        [],
        (200, b"{" * 100_000, {}),
        (200, b"[" * 100_000, {}),
        (302, b"", {"Location": "/x"}),
        (422, b"{}", {}),
        (500, b"\xff", {}),
    ],
)
def test_answer_is_refused_when_it_is_not_the_api(stranger, answer):
    """The API's client is as careful."""
    server = stranger({"/api/v1/incidents": answer, "/api/v1/sightings": answer})
    assert refusal(lambda: asyncio.run(fetch_incidents(server, "t"))).code is Code.REFUSED_BY_SERVER
    assert refusal(lambda: asyncio.run(report_sightings(server, "t", [{}]))).code is Code.REFUSED_BY_SERVER


def test_counts_are_held_to_what_was_sent_when_server_exaggerates(stranger):
    """A server cannot take more than it was given, nor refuse it twice."""
    lies = {"accepted": 10**9, "refused": [{"index": -5, "code": 7, "message": "\x1b[2J" * 1000}] * 50}
    answer = asyncio.run(report_sightings(stranger({"/api/v1/sightings": lies}), "t", [{}, {}]))
    assert (answer.accepted, len(answer.refused)) == (2, 2)
    assert all(one.message.isprintable() and len(one.message) <= 200 for one in answer.refused)


def test_failures_are_cut_when_server_says_too_much(stranger):
    """Reasons are bounded, printable, and no more than there were objects."""
    lies = [{"id": "x" * 9000, "version": "\x07", "message": "a\nb\x1b]0;evil\x07" * 900}] * 3
    status = {"id": "s", "status": "complete", "total_count": 3, "success_count": 0, "failure_count": 3, "pending_count": 0}
    with TaxiiHost(stranger({OBJECTS: {**status, "failures": lies}}), "token") as host:
        report = host.publish("c", [{"type": "indicator"}])
    assert (report.accepted, len(report.failures)) == (0, 1)
    shown = report.failures[0].message + report.failures[0].stix_id + report.failures[0].version
    assert shown.isprintable()
    assert len(shown) <= 700


def test_table_is_printed_when_incidents_are_nonsense(stranger, regcert):
    """Words of a stranger are neither markup nor control characters, and wrong types are shown as unknown."""
    incidents = [{"score": "[red]", "marking": "[bold]x\x1b[31m", "countries": [7, {"country": "[AL]"}], "teams": 3}, {}]
    server = stranger({"/api/v1/incidents": {"incidents": [*incidents, "text"]}})
    outcome = regcert("incidents", "--server", server, "--token", "t")
    assert outcome.code == 0
    assert "[bold]x" in outcome.out
    assert "[AL]" in outcome.out
    assert "\x1b" not in outcome.out


def test_only_ascii_is_printed_when_json_comes_from_a_stranger(stranger, regcert):
    """JSON that passes through cannot steer a terminal, and says the same."""
    told = {"id": "\u202eevil\x9b31m"}
    server = stranger({"/api/v1/incidents": {"incidents": [told]}})
    outcome = regcert("incidents", "--json", "--server", server, "--token", "t")
    assert outcome.out.isascii()
    assert "\x1b" not in outcome.out
    assert outcome.json["incidents"] == [told]


def test_old_file_stays_when_pull_breaks_off_halfway(stranger, regcert):
    """A second page that fails leaves the file of before."""
    Path("out.json").write_text("of before")
    server = stranger({OBJECTS: {"objects": [{"id": "a"}], "more": True, "next": "n"}})
    outcome = regcert("pull", "--collection", "c", "--out", "out.json", "--server", server, "--token", "t")
    assert outcome.code == 1
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("out.json", "of before")]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, "refused-by-server"),
        (401, "unauthenticated"),
        (404, "not-found"),
        (429, "busy"),
        (503, "busy"),
        (418, "refused-by-server"),
    ],
)
def test_number_decides_what_a_no_means(status, code):
    """Sign in, try again, or give up: told apart by the HTTP number, with the server's own words."""
    said = refusal_of(status, json.dumps({"title": "T", "description": "go\x1b away"}).encode())
    assert said.code == code
    assert re.fullmatch(r"[ -~]+", said.message)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b"[" * 70_000, b'{"title": 7}', b'{"description": {"a": 1}}'])
def test_no_is_understood_when_its_body_is_not(body):
    """An error without a readable reason is still an answer."""
    assert "500" in refusal_of(500, body).message


def test_words_are_made_inert():
    """One printable line within its bound."""
    assert inert("a\x00b\n\u2028c\u202e d") == "a b c d"
    assert len(inert("x" * 9999)) == 200
    assert inert(None) == ""


@pytest.mark.parametrize("token", ["a\r\nX-Evil:1", "a b", "ключ", ""])
def test_nothing_is_asked_when_token_cannot_stand_in_a_header(stranger, asked, regcert, token):
    """A token that would begin another header is refused before anything is sent."""
    server = stranger({})
    for command in (("incidents",), ("sight", "192.0.2.1"), ("pull", "--collection", "c", "--out", "o.json")):
        assert regcert(*command, "--server", server, "--token", token).code == 4
    assert asked == []
