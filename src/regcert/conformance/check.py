"""A check: one rule, how much it weighs, and the function that finds out whether a server keeps it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from regcert.conformance.peer import Peer

Judge = Callable[[Peer], Awaitable[None]]


class Keyword(StrEnum):
    """How much a rule weighs."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"
    CLIENT = "CLIENT"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule.

    Args:
        check_id: section and name, for good: `5.5-duplicate-is-no-failure`.
        section: of the standard.
        keyword: how much the rule weighs.
        client: the programs that need it, where the keyword is CLIENT.
        rule: one sentence, in our own words.
        judge: asks the server; returns where the rule is kept.
    """

    check_id: str
    section: str
    keyword: Keyword
    client: str
    rule: str
    judge: Judge


Maker = Callable[[Judge], Check]


def must(section: str) -> Maker:
    """Declare a rule that every server keeps."""
    return _maker(section, Keyword.MUST)


def should(section: str) -> Maker:
    """Declare a rule that a server keeps unless it has a reason."""
    return _maker(section, Keyword.SHOULD)


def may(section: str) -> Maker:
    """Declare how something works that a server is free to offer."""
    return _maker(section, Keyword.MAY)


def needed_by(client: str, section: str) -> Maker:
    """Declare what the standard leaves open and a client relies on.

    Args:
        client: which; several parted by commas.
        section: to which the need belongs.
    """
    return _maker(section, Keyword.CLIENT, client)


def each(keyword: Keyword, section: str, name: str, rule: str, judge: Judge, client: str = "") -> Check:
    """Make one check of a row of a table, for rules that differ in one value only."""
    return Check(f"{section}-{name}", section, keyword, client, rule, judge)


def _maker(section: str, keyword: Keyword, client: str = "") -> Maker:
    def make(judge: Judge) -> Check:
        name = judge.__name__.replace("_", "-")
        rule = " ".join((judge.__doc__ or "").split())
        return Check(f"{section}-{name}", section, keyword, client, rule, judge)

    return make
