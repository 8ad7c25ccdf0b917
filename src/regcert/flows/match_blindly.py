"""Find what circles hold alike that do not see each other, and tell them; let go of what is not held any more."""

from collections import defaultdict
from collections.abc import Collection as Values
from collections.abc import Iterable, Mapping, Sequence

from regcert.correlation.guards import Guards
from regcert.domain.blind_match import (
    MOST_COMPARED_A_DAY,
    MOST_TOLD_A_DAY,
    Deed,
    End,
    Holder,
    find_partners,
    following_midnight,
)
from regcert.store.audit import note_deed
from regcert.store.blind_comparing import (
    Brought,
    Circles,
    add_tries,
    count_tries,
    find_brought,
    load_circles,
    load_holders,
    load_tries,
)
from regcert.store.blind_matches import add_sides, add_step, begin_match, end_match, find_open, find_waiting, load_values
from regcert.store.ledger import ScopedKey, Span
from regcert.store.programs import Program

Holders = Mapping[bytes, Sequence[Holder]]


def match_blindly(span: Span, changed: Values[ScopedKey], guards: Guards, now_us: int) -> Program[None]:
    """Compare what a stretch of the ledger brought with the circles that do not see where it was brought.

    1. Where no circle takes part, nothing is looked at.
    2. What lost a mention, or was called harmless or marked up, may be held by fewer: its matches end.
    3. What is new is compared, as far as the bound of the team that brought it goes; hit or miss, it counts.
    4. Each hit becomes a match, told at the next midnight to all who hold the value.

    Args:
        span: which stretch; its holdings are summed up already.
        changed: the values that lost a mention in it, by circle.
        guards: what is benign, and never matched.
        now_us: what time it is.
    """
    circles = yield from load_circles()
    if not circles:  # 1
        return
    brought, doubted = yield from find_brought(span, circles)
    yield from end_unheld(doubted | {key for scope, key in changed if scope in circles}, circles, now_us)  # 2
    used = yield from count_tries({team_id for team_id, _, _ in brought}, now_us)
    brought = [one for one in brought if not _is_spent(used.get(one[0], (0, 0)))]
    tried = yield from load_tries({key for _, _, key in brought}, now_us)
    brought = [one for one in brought if (one[0], one[2]) not in tried]
    holders = yield from load_holders({key for _, _, key in brought}, circles)
    compared = _compare(brought, holders, circles)
    values = yield from load_values({key for (_, key), alike in compared.items() if alike})
    guarded = {key for key, value in values.items() if guards.find_reason(value) is not None}
    tries = _count(compared, used, guarded)  # 3
    yield from add_tries(tries, now_us)
    hits: defaultdict[bytes, list[Holder]] = defaultdict(list)
    for team_id, key, is_hit in tries:
        if is_hit:
            hits[key] += compared[team_id, key]
    yield from _tell(hits, now_us)  # 4


def end_unheld(keys: Values[bytes], circles: Circles, now_us: int) -> Program[None]:
    """End the matches of some values of which fewer than two sides are left that do not see each other.

    They end at the next midnight: the hour in which somebody withdrew is not told.
    """
    found = yield from find_open(keys, now_us)
    holders = yield from load_holders({key for key, _, _ in found}, circles)
    for key, match_id, sides in found:
        left = [one for one in holders.get(key, ()) if (one.scope, one.team_id) in sides]
        if any(find_partners(one, left, circles) for one in left):
            continue
        if (yield from end_match(match_id, End.WITHDRAWN, following_midnight(now_us))):
            yield from add_step(match_id, Deed.WITHDRAW, None, now_us)
            yield from note_deed(None, now_us, "blind-withdraw", match_id)


def _is_spent(used: tuple[int, int]) -> bool:
    """Tell whether a team has used up its bound of a day, by how much was compared and how much of it matched."""
    compared, told = used
    return compared >= MOST_COMPARED_A_DAY or told >= MOST_TOLD_A_DAY


def _compare(brought: Iterable[Brought], holders: Holders, circles: Circles) -> dict[tuple[int, bytes], list[Holder]]:
    """Find for each value that a team brought who holds it where neither sees the other, and the team's own holdings.

    A team that brings a value to two circles of its own has guessed once. What it does not hold on the right terms is left out.
    """
    compared: dict[tuple[int, bytes], list[Holder]] = {}
    for team_id, scope, key in brought:
        newcomer = next((one for one in holders.get(key, ()) if (one.team_id, one.scope) == (team_id, scope)), None)
        if newcomer is not None:
            partners = find_partners(newcomer, holders[key], circles)
            compared.setdefault((team_id, key), []).extend([newcomer, *partners] if partners else [])
    return compared


def _count(
    compared: Mapping[tuple[int, bytes], Sequence[Holder]], used: dict[int, tuple[int, int]], guarded: Values[bytes]
) -> list[tuple[int, bytes, bool]]:
    """Count what was compared against the bound of each team; what lies beyond it is as if nobody had looked."""
    tries = []
    for (team_id, key), alike in compared.items():
        count, told = used.get(team_id, (0, 0))
        if not _is_spent((count, told)):
            is_hit = bool(alike) and key not in guarded
            used[team_id] = count + 1, told + is_hit
            tries.append((team_id, key, is_hit))
    return tries


def _tell(hits: Mapping[bytes, Sequence[Holder]], now_us: int) -> Program[None]:
    """Enter a match for each hit, or join the one that waits already."""
    if not hits:
        return
    told_us = following_midnight(now_us)
    waiting = yield from find_waiting(hits.keys(), now_us)
    for key, alike in sorted(hits.items()):
        match_id = waiting.get(key) or (yield from begin_match(key, told_us))
        yield from add_sides(match_id, dict.fromkeys(alike), told_us)
        yield from add_step(match_id, Deed.TELL, None, now_us)
        yield from note_deed(None, now_us, "blind-tell", match_id)
