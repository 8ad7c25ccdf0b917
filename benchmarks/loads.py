"""The loads: each is played against one server, and returns what one run took."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson

from benchmarks.corpus import BLOCK, Corpus
from benchmarks.machine import cpu_s
from benchmarks.players import Outcome, Players
from benchmarks.scripts import Chase, Repeat, Script, Walk, Write
from benchmarks.target import Target

_CLIENTS_OF_A_PLAYER = 16
_ASKED_AT_RANDOM = 2000
_ENVELOPE = 1000
_FILLED_AT_ONCE = 20_000
_UNTIL_DONE_S = 600.0
_CHASED_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one load.

    Args:
        amount: how many objects, or requests.
        taken_s: how long all of it took.
        latencies_s: how long each request took.
        server_cpu_s: processor time of the server's processes; its database's own are left out.
        client_cpu_s: processor time of those who asked.
        refused: answers other than the wanted one.
        lag_s: for how long the server worked on behind its last answer.
    """

    amount: int
    taken_s: float
    latencies_s: Sequence[float]
    server_cpu_s: float
    client_cpu_s: float
    refused: int = 0
    lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Chased:
    """What became of readers that followed writers.

    Args:
        pushed: how they fared while the writers wrote.
        quiet: how they fare over the same objects when nobody writes.
        acknowledged: objects that were stored.
        missed: how many of these a reader never got, summed over the readers.
        doubled: how many a reader got twice, summed likewise.
    """

    pushed: Run
    quiet: Run
    acknowledged: int
    missed: int
    doubled: int


class Scene:
    """A server, what was put into it, and those who ask it.

    Args:
        target: the server.
        players: to play the clients.
        seed: of the objects and of what is asked at random.
    """

    def __init__(self, target: Target, players: Players, seed: int = 2026) -> None:
        self.target = target
        self.corpus = Corpus(seed)
        self.stored = 0
        self.middle = ""
        self.places: list[str] = []
        self._players = players
        self._random = Random(seed)

    def fill(self, objects: int, tail: int) -> None:
        """Fill the collection up to some objects, and learn where the middle is and where each of the last objects is.

        Args:
            objects: that the collection then holds, unless it holds more already.
            tail: how many of them come last, posted in envelopes of their own.
        """
        self._fill_to(objects // 2)
        self.middle = _now()
        self._fill_to(objects - tail)
        self.target.settle()
        before = _now()
        for body in self.corpus.envelopes(tail, BLOCK):
            self.target.fetch(self.target.speech.post(body))
        self.stored += tail
        self.target.settle()
        request = self.target.speech.get(f"limit={tail}&added_after={before}", "manifest/")
        listed: Any = orjson.loads(self.target.fetch(request).body)
        self.places = [one["date_added"] for one in listed["objects"]]
        if len(self.places) != tail:
            raise RuntimeError(f"{self.target.name} lists {len(self.places)} of the {tail} objects that came last")

    def _fill_to(self, objects: int) -> None:
        while (missing := (objects - self.stored) // BLOCK * BLOCK) > 0:
            size = min(missing, _ENVELOPE)
            envelopes = self.corpus.envelopes(min(missing // size * size, _FILLED_AT_ONCE), size)
            self.target.fill(envelopes)
            self.stored += len(envelopes) * size

    def ingest(self, envelopes: Sequence[bytes], writers: int) -> Run:
        """Post envelopes, parted among some writers of alternating teams; each waits for its answer before the next."""
        speech = self.target.speech
        made = [speech.post(body, turn) for turn, body in enumerate(envelopes)]
        run, _ = self._play([Write(made[number::writers], _UNTIL_DONE_S) for number in range(writers)])
        self.stored += run.amount
        return run

    def ingest_signed(self, envelopes: Sequence[bytes], writers: int) -> Run:
        """Post the same under signatures, made beforehand; each writer is a team of its own. Manifests are not counted."""
        made: list[list[bytes]] = []
        for number in range(writers):
            signer, speech = self.target.signers[number]
            made.append([speech.post(signer.sign(body)) for body in envelopes[number::writers]])
        run, _ = self._play([Write(requests, _UNTIL_DONE_S) for requests in made])
        self.stored += run.amount
        return replace(run, amount=run.amount - len(envelopes))

    def ask(self, requests: Sequence[bytes], clients: int, for_s: float, *, wanted: int = 200, objects: int = -1) -> Run:
        """Ask prepared questions as some clients; each begins at another place of the list.

        Args:
            requests: the questions.
            clients: that ask at once, each waiting for its answer.
            for_s: how long.
            wanted: the status of every answer.
            objects: how many the last answer to each client must hold; below 0, that is not looked at.
        """
        scripts: list[Script] = [Repeat(requests, number * len(requests) // clients, wanted, for_s) for number in range(clients)]
        run, ended = self._play(scripts)
        wrong = [one.found for one in ended if wanted == 200 and objects >= 0 and one.found != objects]
        if wrong and not run.refused:
            raise RuntimeError(f"{self.target.name} returned {wrong[0]} objects where {objects} were to come")
        return run

    def walk(self, readers: int, page: int, for_s: float) -> Run:
        """Read the whole collection in pages, as each of some readers, or as much of it as time allows."""
        request = self.target.speech.get_in_parts(f"limit={page}")
        run, ended = self._play([Walk(request, page, for_s) for _ in range(readers)])
        wrong = [one.amount for one in ended if one.found and one.amount != self.stored]
        if wrong and self.target.is_strict:
            raise RuntimeError(f"{wrong[0]} objects came back, {self.stored} were published")
        return run

    def pick(self, among: Sequence[str]) -> list[str]:
        """Choose many at random, some of them more than once."""
        return self._random.choices(among, k=_ASKED_AT_RANDOM)

    def chase(self, envelopes: Sequence[bytes], pushed_s: float, limit: int, readers: int = 8) -> "Chased":
        """Let readers follow what two writers push, half of them by `added_after`, half by `next`; then again when all is quiet.

        Args:
            envelopes: what the writers may push.
            pushed_s: for how long they push.
            limit: of each page.
            readers: who read.

        """
        speech, place = self.target.speech, _now()
        request = speech.get_in_parts(f"limit={limit}")

        def chasers(for_s: float) -> list[Script]:
            return [Chase(request, place, number % 2 == 1, for_s) for number in range(readers)]

        made = [speech.post(body, turn) for turn, body in enumerate(envelopes)]
        writers: list[Script] = [Write(made[number::2], pushed_s) for number in range(2)]
        before = cpu_s(self.target.pid)
        pushed, read = self._players.play(self.target.port, [writers, chasers(_CHASED_S)], lambda: None, ends_first=True)
        used = cpu_s(self.target.pid) - before
        acknowledged = {
            one["id"].encode()
            for number, writer in enumerate(pushed.scripts)
            for at in writer.found
            for one in orjson.loads(envelopes[number::2][at])["objects"]
        }
        self.stored += sum(writer.amount for writer in pushed.scripts)
        missed = sum(len(acknowledged - set(reader.found)) for reader in read.scripts)
        doubled = sum(len(reader.found) - len(set(reader.found)) for reader in read.scripts)
        self._require_wanted([pushed, read])
        lag_s = self.target.settle()
        idle: list[Script] = []
        again = self._players.play(self.target.port, [idle, chasers(pushed_s)], lambda: None, ends_first=True)[1]
        return Chased(_to_run([read], used, lag_s), _to_run([again], 0.0, 0.0), len(acknowledged), missed, doubled)

    def _play(self, scripts: Sequence[Script]) -> tuple[Run, list[Script]]:
        """Part the scripts among players and put together what they saw."""
        players = 1 if len(scripts) <= _CLIENTS_OF_A_PLAYER else 2
        parts = [scripts[number::players] for number in range(players)]
        used = 0.0

        def begin() -> None:
            nonlocal used
            used = cpu_s(self.target.pid)

        outcomes = self._players.play(self.target.port, parts, begin)
        used = cpu_s(self.target.pid) - used
        self._require_wanted(outcomes)
        lag_s = self.target.settle() if isinstance(scripts[0], Write) else 0.0
        return _to_run(outcomes, used, lag_s), [one for outcome in outcomes for one in outcome.scripts]

    def _require_wanted(self, outcomes: Sequence[Outcome]) -> None:
        """Refuse to go on when our own server gave an answer that nobody wanted."""
        complaints = [one.complaint for outcome in outcomes for one in outcome.scripts if one.refused]
        if complaints and self.target.is_strict:
            raise RuntimeError(f"{self.target.name} answered {complaints[0]!r}")


def _now() -> str:
    """Say when it is; what is added later is added after this, since the server has the same clock."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _to_run(outcomes: Sequence[Outcome], server_cpu_s: float, lag_s: float) -> Run:
    scripts = [one for outcome in outcomes for one in outcome.scripts]
    return Run(
        sum(one.amount for one in scripts),
        max(outcome.taken_s for outcome in outcomes),
        [one for outcome in outcomes for one in outcome.latencies_s],
        server_cpu_s,
        sum(outcome.cpu_s for outcome in outcomes),
        sum(one.refused for one in scripts),
        lag_s,
    )
