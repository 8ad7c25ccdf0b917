"""Turns of teams: how many calls of one team are under way at a time, however many tokens it calls with."""

import asyncio
from weakref import WeakValueDictionary

# Of what is quick two, so that one slow sender does not stop its colleagues; of what is not, one: two of a team would write
# twice as much between two writes of anybody else.
QUICK_AT_ONCE = 2


class TeamsTurns:
    """For each team some turns for what is quick, and one for what is not: one report need not wait for an import."""

    def __init__(self) -> None:
        self._turns: WeakValueDictionary[tuple[int, bool], asyncio.Semaphore] = WeakValueDictionary()

    def take(self, team_id: int, *, is_quick: bool) -> asyncio.Semaphore:
        """Return what a team's call waits for and holds, by `async with`; it is forgotten when nobody does."""
        turn = self._turns.get((team_id, is_quick))
        if turn is None:
            self._turns[team_id, is_quick] = turn = asyncio.Semaphore(QUICK_AT_ONCE if is_quick else 1)
        return turn
