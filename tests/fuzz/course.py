"""A course of spoilt requests against one host, and everything in its answers that breaks a rule."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fuzz.grammar import ASKED, POSTED, Asking, Grammar
from tests.fuzz.talking import Answer, talk
from tests.hosting import TAXII

CONNECTIONS = 6
PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Course:
    """What became of a course.

    Args:
        statuses: how often each status was answered; `hung up` for requests that got none.
        faults: what must not be, each with the request that shows it.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def judge(self, asked: Asking, answer: Answer) -> None:
        """Count an answer, and note what is wrong with it."""
        self.statuses[str(answer.status) if answer.is_ours else f"{answer.status} of the parser"] += 1
        for fault in find_faults(asked, answer):
            self.faults.append(f"{fault}: {answer.head[:300]!r} {answer.body[:300]!r} to {asked.raw[:600]!r}")


async def run_course(url: str, seed: int, tokens: Sequence[str], requests: int) -> Course:
    """Ask so many things, on several connections at once and up to eight in a row on each.

    Args:
        url: of the host.
        seed: another seed asks other things.
        tokens: that are worth something there.
        requests: how many.
    """
    course, left = Course(), [requests]
    lanes = [_run_lane(url, Grammar(random.Random(f"{seed} {lane}"), tokens), course, left) for lane in range(CONNECTIONS)]
    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(lane)
    return course


async def _run_lane(url: str, grammar: Grammar, course: Course, left: list[int]) -> None:
    address = urlsplit(url)
    while left[0] > 0 and len(course.faults) < 20:
        row = [grammar.ask() for _ in range(grammar.chance.choice((1, 1, 2, 4, 8)))]
        if not all(one.framed for one in row):
            row = row[: [one.framed for one in row].index(False) + 1]  # what follows a lie is no request any more
        left[0] -= len(row)
        methods, requests = [one.method for one in row], [one.raw for one in row]
        try:
            answers = await talk(address.hostname or "", address.port or 0, methods, requests, ends=not row[-1].framed)
        except TimeoutError:
            course.faults.append(f"no answer: {[one.raw[:600] for one in row]!r}")
            continue
        course.statuses["hung up"] += len(row) - len(answers)
        for asked, answer in zip(row, answers, strict=False):
            course.judge(asked, answer)
            _learn(grammar, answer)


def _learn(grammar: Grammar, answer: Answer) -> None:
    """Take ids and cursors out of an answer, to ask for them later."""
    told = answer.json if answer.status < 300 and len(answer.body) < 100_000 else None
    if not isinstance(told, dict):
        return
    grammar.known += [told[name] for name in ("id", "next") if isinstance(told.get(name), str)]
    grammar.known += [one["id"] for one in (told.get("objects") or [])[:5] if isinstance(one, dict)]


def find_faults(asked: Asking, answer: Answer) -> list[str]:
    """List the rules that an answer breaks."""
    faults = []
    if answer.status >= 500:
        faults.append("a fault")
    if not answer.is_ours:
        # The parser of HTTP refuses before there is a request: 400, and it quotes the line that it could not read.
        return faults if answer.status == 400 else [*faults, "an answer past the application"]
    if ASKED.encode() in answer.head + answer.body:
        faults.append("an echo of the address or a header")
    if POSTED.encode() in answer.body and (answer.status >= 400 or asked.method != "GET"):
        faults.append("an echo of the body")
    if answer.status >= 400 and asked.method != "HEAD" and not _is_error(asked, answer):
        faults.append("no error resource")
    return faults


def _is_error(asked: Asking, answer: Answer) -> bool:
    """Tell whether a refusal is in one of our two forms, and the right one where the address was left as it is."""
    told, kind = answer.json, answer.headers.get("content-type")
    if not isinstance(told, dict):
        return False
    if kind == PROBLEM:
        return (asked.address.startswith("/api") or not asked.plain) and told.get("status") == answer.status and told.keys() == {
            "title", "status", "detail", "code", "request_id"
        }  # fmt: skip
    if kind == TAXII:
        return (not asked.address.startswith("/api") or not asked.plain) and told.get("http_status") == str(answer.status) and (
            told.keys() == {"title", "description", "error_id", "error_code", "http_status"} and all(told.values())
        )  # fmt: skip
    # One report or many, none of which could be taken: verdicts, each with its code.
    return asked.address == "/api/v1/sightings" and answer.status == 422 and told.keys() == {"accepted", "refused"}
