"""Pollers of every cursor style, and what each of them must be shown, worked out from the rows of the database alone.

A walk begins with an `added_after` of A (or none, which is 0) and ends with a page that has no more; the next walk begins with
the X-TAXII-Date-Added-Last of the last page that was not empty. Whoever pages by added_after alone begins a walk with each page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import text

from regcert.stix.timestamps import read_timestamp, write_timestamp
from tests.clients.replay import LAST, bearer, say
from tests.hosting import ROOT, RunningHost


class Row(NamedTuple):
    """One version of one object, and its place."""

    position: int
    stix_id: str
    version: str

    @property
    def version_us(self) -> int:
        return read_timestamp(self.version)


async def list_rows(host: RunningHost, collection: str) -> list[Row]:
    """Read the rows of a collection, past everything that is tested here."""
    query = text(
        "SELECT position, stix_id, version FROM objects JOIN collections USING (collection_id)"
        " WHERE uuid = :uuid ORDER BY position"
    )
    async with host.inside.database.read() as connection:
        return [Row(*row) for row in await connection.execute(query, {"uuid": collection})]


def visible_rows(rows: Sequence[Row], after: int, *, every: bool) -> list[Row]:
    """Choose what a walk that began after a place is shown: of each object, the newest of what was added after it."""
    added = [row for row in rows if row.position > after]
    if every:
        return added
    newest: dict[str, int] = {}
    for row in added:
        newest[row.stix_id] = max(newest.get(row.stix_id, 0), row.version_us)
    return [row for row in added if row.version_us == newest[row.stix_id]]


@dataclass(frozen=True, slots=True)
class Style:
    """How somebody polls.

    Args:
        carries: what stands on page 2: `next` alone; `bare`, which is that without its limit; `both` next and the filters;
            `date`, where there is no page 2 but a new added_after; `stale`, as `both`, and the last `next` is sent with the next
            walk's added_after too.
        limit: on every request; None for none.
        path: `objects` or `manifest`.
        every: whether all versions are asked for.
    """

    carries: str
    limit: int | None
    path: str = "objects"
    every: bool = False

    def __str__(self) -> str:
        return f"{self.path}-{self.carries}-{self.limit or 'all'}{'-every' if self.every else ''}"


_LIMITS = (1, 2, 7, 100)
STYLES = [
    *(Style(carries, limit) for carries in ("next", "date", "both") for limit in _LIMITS),
    *(Style(carries, limit, "manifest") for carries in ("next", "date") for limit in _LIMITS),
    *(Style(carries, limit) for carries in ("bare", "stale") for limit in (1, 7)),
    *(Style("next", 1, path, every=True) for path in ("objects", "manifest")),
    *(Style("date", 2, path, every=True) for path in ("objects", "manifest")),
    *(Style("both", 7, path, every=True) for path in ("objects", "manifest")),
]


@dataclass(slots=True)
class Walker:
    """One poller at work.

    Args:
        style: how it polls.
        collection: what it polls.
        token: as whom.
        after: the added_after of the walk it is on, as text.
        next: of the last page that had more, or None.
        place: the position of the last item of the walk, or 0 at its beginning.
        seen: (id, version) of all it was shown.
        is_idle: whether the last poll began a walk and brought nothing.
    """

    style: Style
    collection: str
    token: str
    after: str = ""
    next: str | None = None
    place: int = 0
    on_the_way: bool = False
    seen: list[tuple[str, str]] = field(default_factory=list)
    is_idle: bool = False

    @property
    def after_us(self) -> int:
        return read_timestamp(self.after) if self.after else 0

    def target(self) -> str:
        """Write the next request's address."""
        style, asked = self.style, []
        follows = self.on_the_way and style.carries != "date"
        filters = ["match[version]=all"] if style.every else []
        filters += [f"added_after={self.after}"] if self.after else []
        if not follows or style.carries in {"both", "stale"}:
            asked += filters
        if self.next and (follows or style.carries == "stale"):
            asked.append(f"next={self.next}")
        if style.limit and not (follows and style.carries == "bare"):
            asked.append(f"limit={style.limit}")
        return f"{ROOT}/collections/{self.collection}/{style.path}/?{'&'.join(asked)}"

    async def step(self, host: RunningHost, rows: Sequence[Row] | None = None) -> None:
        """Fetch one page; where the rows are given, require that it holds exactly what they say."""
        expected = None if rows is None else self._expected(rows)
        reply = await say(host, "GET", self.target(), [("Accept-Encoding", "gzip"), bearer(self.token)])
        assert reply.status == 200, reply.body
        page: dict[str, Any] = reply.json
        shown = [(one["id"], self._version_of(one)) for one in page.get("objects", [])]
        if expected is not None:
            assert (shown, page.get("more", False)) == expected, self
        self.seen += shown
        self.is_idle = not shown and not self.on_the_way
        self._move(page, reply.headers.get(LAST), bool(shown))

    async def finish(self, host: RunningHost, rows: Sequence[Row] | None = None) -> None:
        """Poll until a walk brings nothing, while nobody writes any more."""
        self.is_idle = False
        while not self.is_idle:
            await self.step(host, rows)

    def _version_of(self, shown: dict[str, Any]) -> str:
        return str(shown["version"] if self.style.path == "manifest" else shown["modified"])

    def _expected(self, rows: Sequence[Row]) -> tuple[list[tuple[str, str]], bool]:
        ahead = [row for row in visible_rows(rows, self.after_us, every=self.style.every) if row.position > self.place]
        bare = self.on_the_way and self.style.carries == "bare"
        limit = 1000 if bare or self.style.limit is None else self.style.limit
        return [(row.stix_id, row.version) for row in ahead[:limit]], len(ahead) > limit

    def _move(self, page: dict[str, Any], last: str | None, brought: bool) -> None:  # noqa: FBT001
        more = page.get("more", False)
        assert more is ("next" in page), "next stands if and only if there is more"
        if brought:
            assert last is not None, "a page that holds something says when it ends"
            assert read_timestamp(last) > max(self.place, self.after_us), "places rise"
            self.place = read_timestamp(last)
        if more and self.style.carries != "date":
            self.next, self.on_the_way = page["next"], True
            return
        if self.place:
            self.after = write_timestamp(self.place)  # the header of the last page that was not empty, letter for letter
        self.on_the_way, self.place = False, 0
        if self.style.carries != "stale":
            self.next = None


def require_exactly_once(walker: Walker, rows: Sequence[Row], exposed: set[str]) -> None:
    """Require of a poller that has come to its end what "exactly once" means here.

    * No version is shown twice, whatever was written, superseded, revoked or deleted meanwhile; but for one that is in force
      again since the newer one was deleted: it has a new place, as if it had been added anew.
    * With all versions, every version that is still there was shown once.
    * Without, the newest version of every object that is still there was shown once. A version that was superseded is shown at
      most once: it is shown if its page was read before something newer was added, and not if a newer one stood behind the
      poller's A by then, which is what is shown in its place.
    * An object that was deleted was shown once for each of its versions at most.

    Args:
        walker: who polled, from the beginning until nothing came.
        rows: what is there at the end.
        exposed: objects whose newest version was deleted while an older one stayed.
    """
    once = [one for one in walker.seen if one[0] not in exposed]
    assert len(once) == len(set(once)), f"{walker.style} was shown something twice"
    due = {(row.stix_id, row.version) for row in visible_rows(rows, 0, every=walker.style.every)}
    missed = due - set(walker.seen)
    assert not missed, f"{walker.style} missed {len(missed)} of {len(due)}"
