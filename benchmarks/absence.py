"""Whether the time of an answer tells what is there: what is foreign and what is not there, asked in turns.

    python -m benchmarks.absence [--pairs N]

A team outside a sharing group asks for what the group holds, and each time for something of the same form that nobody holds. The
two shall not differ: medians by less than 5 %, and the Mann-Whitney test shall find no difference (p > 0.01). What the answers
say is compared byte by byte in the tests; this is about their time, which a shared machine makes noisy, so it is no test.
"""

import argparse
import math
import re
import statistics
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from benchmarks.ours import serving_ours
from benchmarks.target import Target
from benchmarks.wire import Exchange, Speech

_ROOT = "/western-balkans"
_GROUP = f"{_ROOT}/collections/financial-sector-group/"
_VERSION = "2026-11-01T08:00:00.000Z"
_OUTSIDER = 2  # hr-cert, which is not of the group
_STATUS = re.compile(rb'"id": *"([0-9a-f-]{36})"')
_MOST_APART = 0.05
_LEAST_P = 0.01


def main() -> None:
    """Ask, and print a line for each kind of thing."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=10_000, help="how often each kind is asked for, foreign and absent")
    pairs = parser.parse_args().pairs
    with TemporaryDirectory(prefix="regcert-absence-") as name, _furnished(Path(name)) as (target, foreign):
        outsider = target.signers[_OUTSIDER][1]
        print(f"{pairs:,} pairs each; medians in ms\n{'':<14}{'foreign':>9}{'absent':>9}{'apart':>8}{'p':>8}")
        for kind, path in foreign.items():
            here, gone = _measure(target, outsider, kind, path, pairs)
            print(_line(kind, here, gone), flush=True)


@contextmanager
def _furnished(folder: Path) -> Iterator[tuple[Target, dict[str, str]]]:
    """Serve a host in which a group holds things; give the addresses of those."""
    with serving_ours(folder, f"sqlite:///{folder}/regcert.db") as target:
        held = f"indicator--{uuid.uuid4()}"
        [one, other] = [Speech(_GROUP, (account,)) for account in target.speech.accounts]
        with Exchange(target.port) as exchange:
            for speech, stix_id in ((one, held), (other, f"indicator--{uuid.uuid4()}")):
                if exchange.fetch(speech.post(_indicator(stix_id))) != 202:
                    raise RuntimeError(f"refused: {bytes(exchange.body[:400])!r}")
                status = _STATUS.search(bytes(exchange.body))
            target.settle()
            exchange.fetch(_get(one, "/api/v1/incidents?limit=1"))
            [incident] = orjson.loads(exchange.body)["incidents"]
        assert status is not None
        yield (
            target,
            {
                "collection": _GROUP,
                "manifest": f"{_GROUP}manifest/",
                "object": f"{_GROUP}objects/{held}/",
                "versions": f"{_GROUP}objects/{held}/versions/",
                "status": f"{_ROOT}/status/{status[1].decode()}/",
                "incident": f"/api/v1/incidents/{incident['id']}",
                "proof": f"/api/v1/objects/{held}/{_VERSION}/proof?collection=financial-sector-group",
            },
        )


def _indicator(stix_id: str) -> bytes:
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id,
        "created": _VERSION,
        "modified": _VERSION,
        "pattern": "[domain-name:value = 'held-by-the-group.example']",
        "pattern_type": "stix",
        "valid_from": _VERSION,
    }
    return orjson.dumps({"objects": [indicator]})


def _get(speech: Speech, path: str) -> bytes:
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {speech.accounts[0]}\r\n"
    return f"{asked}Accept: {'*/*' if path.startswith('/api/') else 'application/taxii+json;version=2.1'}\r\n\r\n".encode()


def _measure(target: Target, speech: Speech, kind: str, path: str, pairs: int) -> tuple[list[float], list[float]]:
    """Ask for what is foreign and what is absent in turns, whichever first changing, too."""
    foreign, absent = _get(speech, path), _get(speech, _elsewhere(kind, path))  # each the same every time: both are in all caches
    times: tuple[list[float], list[float]] = ([], [])
    with Exchange(target.port) as exchange:
        for turn in range(pairs):
            for which in (turn % 2, 1 - turn % 2):
                started = time.perf_counter()
                status = exchange.fetch((foreign, absent)[which])
                times[which].append(time.perf_counter() - started)
                if status != 404:
                    raise RuntimeError(f"{kind}: {status} for {('what is foreign', 'what is absent')[which]}")
    return times


def _elsewhere(kind: str, path: str) -> str:
    """Write the same address of something that nobody has."""
    if kind in ("collection", "manifest"):
        return path.replace("financial-sector-group", f"financial-sector-{uuid.uuid4().hex[:5]}")
    ids = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    return ids.sub(str(uuid.uuid4()), path)


def _line(kind: str, foreign: Sequence[float], absent: Sequence[float]) -> str:
    here, gone = statistics.median(foreign), statistics.median(absent)
    apart, p = abs(here - gone) / gone, mann_whitney(foreign, absent)
    verdict = "same" if apart < _MOST_APART and p > _LEAST_P else "apart"
    return f"{kind:<14}{here * 1000:>9.3f}{gone * 1000:>9.3f}{apart:>8.1%}{p:>8.3f}  {verdict}"


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the two-sided p of the Mann-Whitney U test, by the normal approximation; ties of clock ticks are ignored."""
    ordered = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ordered, 1) if which == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


if __name__ == "__main__":
    main()
