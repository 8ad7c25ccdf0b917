"""What a benchmark says about losses is worth nothing if it cannot see one."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from benchmarks.corpus import Corpus
from benchmarks.loads import Scene
from benchmarks.players import Players
from benchmarks.target import Target
from benchmarks.wire import Exchange, Speech

READERS = 8


class CarelessServer(ThreadingHTTPServer):
    """Takes everything; hides the third object that it got, and hands out the fifth twice."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CarelessAnswers)
        self.ids: list[str] = []
        self.lock = threading.Lock()


class CarelessAnswers(BaseHTTPRequestHandler):
    """Answers one request a connection, as servers of few workers do."""

    protocol_version = "HTTP/1.1"
    server: CarelessServer

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after = query["added_after"][0]
        first = int(after[-7:-1]) + 1 if after.startswith("2100") else 0
        with self.server.lock:
            shown = list(enumerate(self.server.ids))[first : first + int(query["limit"][0])]
        objects = [{"id": one} for number, one in shown for _ in range({2: 0, 4: 2}.get(number, 1))]
        last = {"X-TAXII-Date-Added-Last": f"2100-01-01T00:00:00.{shown[-1][0]:06}Z"} if shown else {}
        self.answer(200, {"more": False, "objects": objects}, last)

    def do_POST(self) -> None:
        objects = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))["objects"]
        with self.server.lock:
            self.server.ids += [one["id"] for one in objects]
        self.answer(202, {"success_count": len(objects), "failure_count": 0}, {})

    def answer(self, status: int, value: Any, headers: dict[str, str]) -> None:
        body = orjson.dumps(value)
        self.send_response(status)
        for name, text in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def careless_target() -> Iterator[Target]:
    with CarelessServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            speech = Speech("/root/collections/one/", ("Bearer of-nobody",))
            yield Target("careless", os.getpid(), server.server_port, speech, True, lambda: 0.0, lambda _envelopes: None)
        finally:
            server.shutdown()
            thread.join()


def test_missed_and_doubled_objects_are_counted_when_readers_follow_writers() -> None:
    """Each of the readers loses one object and gets another twice: both are seen, for each of them."""
    with careless_target() as target, Players() as players:
        chased = Scene(target, players).chase(Corpus().envelopes(100, 20), pushed_s=30.0, limit=10)
    assert chased.acknowledged == 100
    assert (chased.missed, chased.doubled) == (READERS, READERS)


def test_connection_is_opened_again_when_the_server_closes_it() -> None:
    """A peer that answers one request a connection is measured with that, and is not kept waiting for our end."""
    with careless_target() as target, Exchange(target.port) as exchange:
        for _ in range(3):
            assert exchange.fetch(target.speech.get("added_after=2026-01-01T00:00:00Z&limit=5")) == 200
            assert exchange.fileno() == -1
            assert orjson.loads(exchange.body)["objects"] == []
