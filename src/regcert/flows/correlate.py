"""Read on in the ledger, and find what crosses borders."""

from collections import defaultdict
from time import monotonic

from regcert.correlation.guards import Guards
from regcert.domain.change import Change
from regcert.flows.hear_decisions import Benches
from regcert.flows.match_blindly import match_blindly
from regcert.flows.raise_alerts import raise_alerts
from regcert.flows.rebuild import finish_rebuild
from regcert.flows.regroup import Touched, regroup
from regcert.store.database import Database
from regcert.store.decisions import take_anew
from regcert.store.derived import fold_derived
from regcert.store.groups import find_shared
from regcert.store.holdings import fold_mentions, rebuild_holdings
from regcert.store.issued import match_issued
from regcert.store.ledger import (
    Span,
    close_span,
    find_withdrawn,
    match_sightings,
    open_span,
)
from regcert.store.outgoing import note_outgoing
from regcert.store.programs import Program

# Other people's posts wait while a stretch is read. So it is as long as takes about this time, but never so short that what each
# stretch costs anyway would be most of it: a busy machine would then read ever shorter ones, and fall behind.
STRETCH_S = 0.05
MENTIONS_A_STRETCH = 250
MOST_MENTIONS = 8000


class Pace:
    """How many mentions a stretch may hold, learned from those before; and how long the last one held the writer, in seconds."""

    def __init__(self) -> None:
        self.mentions = MENTIONS_A_STRETCH
        self.took_s = 0.0

    def note(self, took_s: float, *, is_full: bool) -> None:
        """Learn from a stretch; one that was not full says nothing about a longer one.

        Args:
            took_s: how long it held the writer, seconds.
            is_full: whether it held as many mentions as it might.
        """
        self.took_s = took_s
        if is_full or took_s > STRETCH_S:
            # At most twice as many at a time: a quick stretch may have been lucky.
            following = int(self.mentions * min(2.0, STRETCH_S / max(took_s, 0.001)))
            self.mentions = min(max(following, MENTIONS_A_STRETCH), MOST_MENTIONS)


async def correlate(database: Database, guards: Guards, pace: Pace | None = None) -> bool:
    """Take the next stretch of the ledger into account, in one transaction with the mark of how far we read.

    1. Sightings that name an indicator say what they saw.
    2. New mentions are added to what is held; what was superseded or withdrawn is summed up anew.
    3. Values that more than one country holds are judged, and clustered with what they are reported together with.
    4. What is new is compared with the circles that do not see it, where these take part in that (0021).
    5. Teams are told what concerns them, once.
    6. What changed is noted for whoever publishes it as the centre.

    If we crash before the commit, the stretch is read again from the same place; behind it, never again.

    Args:
        database: where.
        guards: what is benign.
        pace: how long a stretch may be; it learns from this one.

    Returns:
        Whether there is more.
    """
    pace = pace or Pace()

    return await database.apply(lambda now_us: _timed(guards, pace, now_us))


def _timed(guards: Guards, pace: Pace, now_us: int) -> Program[bool]:
    began_s = monotonic()
    span = yield from _read_on(guards, pace.mentions, now_us)
    is_full = span is not None and not span.is_last
    pace.note(monotonic() - began_s, is_full=is_full)
    return is_full


def _read_on(guards: Guards, most: int, now_us: int) -> Program[Span | None]:
    span = yield from open_span(most)
    if span is None:
        return None
    stale = yield from match_sightings(span)  # 1
    yield from match_issued(span)
    yield from fold_mentions(span)  # 2
    withdrawn = yield from find_withdrawn(span)
    yield from rebuild_holdings(stale | withdrawn.keys(), span.end)
    named, seen = yield from find_shared(span)  # 3
    touched: defaultdict[str, Touched] = defaultdict(Touched)
    anew = yield from take_anew(span)
    anew_derived, seen_derived = yield from fold_derived(span, stale | withdrawn.keys() | anew)
    named, seen = named | anew_derived, seen | seen_derived
    for scope, key in stale | named | withdrawn.keys() | anew:
        touched[scope].named.add(key)
    for scope, key in seen - stale - named - withdrawn.keys() - anew:
        touched[scope].seen.add(key)
    for (scope, _), named_by in withdrawn.items():
        touched[scope].lost |= named_by
    changes: list[Change] = []
    benches = Benches(guards)
    for scope, of_scope in touched.items():
        changes += yield from regroup((yield from benches.open(scope)), of_scope)
    if not (yield from finish_rebuild(span)):
        yield from match_blindly(span, stale | withdrawn.keys(), guards, now_us)  # 4
        yield from raise_alerts(span, changes, stale, benches, now_us)  # 5
        yield from note_outgoing(changes)  # 6
    yield from close_span(span)
    return span
