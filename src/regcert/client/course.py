"""The way through a listing, page by page: never past an object, and never in a circle.

Where a server gives a cursor, it is followed. Where it does not (the standard has none for manifest and versions, and some
servers have none at all), the next question is "added after the last of this page", and a trap lies there: many servers give
one `date_added` to all objects of a POST, and if a page ends among them, the rest would be skipped. So the next question begins
a microsecond before that time, with room for one more object, and what comes twice is taken out again.

Spec: TAXII 2.1 §3.5, §3.2 (X-TAXII-Date-Added-Last)
"""

from dataclasses import replace
from typing import Generic

from regcert.client.resources import Item, Page
from regcert.client.resume import just_before
from regcert.errors import Code, Refusal


class Course(Generic[Item]):
    """Where a reader of one listing stands.

    Args:
        limit: objects a page, or None for as many as the server gives.
        added_after: from where on, or None for all.
    """

    def __init__(self, limit: int | None, added_after: str | None) -> None:
        self.ended = False
        self._limit = limit
        self._asked_limit = limit
        self._after = added_after
        self._cursor: str | None = None
        self._cursors: set[str] = set()
        self._last_added: str | None = None
        self._seen: frozenset[Item] = frozenset()

    def query(self) -> dict[str, str]:
        """Return the fields of the next question."""
        fields = {"limit": self._asked_limit, "added_after": self._after, "next": self._cursor}
        return {name: str(value) for name, value in fields.items() if value is not None}

    def take(self, page: Page[Item]) -> Page[Item]:
        """Take the answer, and decide what is asked next.

        Returns:
            The page without what the page before it had already.

        Raises:
            Refusal: REFUSED_BY_SERVER where the listing leads back to itself, or can be read no further without loss.
        """
        fresh = tuple(item for item in page.objects if item not in self._seen)
        if page.more:
            self._turn(page, fresh)
        else:
            self.ended = True
        if page.objects:
            same_time = self._last_added == page.last_added
            self._seen = self._seen.union(page.objects) if same_time else frozenset(page.objects)
            self._last_added = page.last_added
        return page if len(fresh) == len(page.objects) else replace(page, objects=fresh)

    def go_on(self) -> None:
        """Begin behind the end, for whatever is added from now on."""
        self._after = self._last_added or self._after
        self.ended = False
        self._asked_limit, self._cursor = self._limit, None
        self._cursors.clear()

    def _turn(self, page: Page[Item], fresh: tuple[Item, ...]) -> None:
        if not page.objects:
            raise _circle()
        if page.next is not None:
            if not fresh or page.next in self._cursors:
                raise _circle()
            self._cursors.add(page.next)
            self._cursor = page.next
            return
        if page.last_added is None:
            raise Refusal(Code.REFUSED_BY_SERVER, "the server says that there is more, and not how to reach it")
        self._cursor = None
        # A server that gives single objects, however many are asked for, leaves no room for one that comes again.
        alone = len(page.objects) == 1 and self._asked_limit != 1
        if not fresh and (not alone or self._after == page.last_added):
            self._asked_limit = self._wider(page)
            return
        self._after = page.last_added if alone else _before(page.last_added)
        self._asked_limit = None if self._limit is None else self._limit + 1

    def _wider(self, page: Page[Item]) -> int:
        """Return a larger limit, because a page held nothing but what the one before it had."""
        if self._asked_limit is not None and len(page.objects) < self._asked_limit:
            raise Refusal(
                Code.REFUSED_BY_SERVER,
                "the server holds more objects of one moment than it puts on a page, and gives no cursor: they cannot be read",
            )
        return 2 * len(page.objects)


def _before(timestamp: str) -> str:
    try:
        return just_before(timestamp)
    except Refusal as refusal:
        raise Refusal(Code.REFUSED_BY_SERVER, "the server writes times that cannot be read") from refusal


def _circle() -> Refusal:
    return Refusal(
        Code.REFUSED_BY_SERVER, "the server's pages lead back to themselves; what came before is whole as far as it goes"
    )
