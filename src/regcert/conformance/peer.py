"""The server under test with objects in it that checks share, so that two hundred rules do not need two hundred posts."""

from collections.abc import Awaitable, Callable

from regcert.conformance import made
from regcert.conformance.asking import Terms
from regcert.conformance.made import Object
from regcert.conformance.place import Place
from regcert.conformance.posting import Posting
from regcert.conformance.verdict import Broken, Skipped
from regcert.conformance.wire import Wire

# The latest two are one microsecond apart, and the latest is neither the first nor the last to arrive.
OLDEST, MIDDLE, LATEST = "2026-01-10T10:00:00.000Z", "2026-02-11T11:00:00.000001Z", "2026-02-11T11:00:00.000002Z"
ARRIVAL = (MIDDLE, LATEST, OLDEST)


class Peer(Posting):
    """What a check gets: the server, and a stock of objects that is made when the first check asks for it."""

    def __init__(self, wire: Wire, place: Place, terms: Terms) -> None:
        super().__init__(wire, place, terms)
        self._stock: dict[str, list[Object] | Skipped] = {}

    async def five(self) -> list[Object]:
        """Five indicators that came in one POST, in its order; where nothing may be posted, five objects that are there."""
        return await self._once("five", self._make_five)

    async def history(self) -> list[Object]:
        """Three versions of one object, oldest first; they arrived as ARRIVAL says."""
        return await self._once("history", self._make_history)

    async def observable(self) -> Object:
        """A cyber-observable without spec_version, created and modified."""
        return (await self._once("observable", lambda: self._make(made.observable())))[0]

    async def told_observable(self) -> Object:
        """A cyber-observable that names its spec_version, but has neither created nor modified."""
        return (await self._once("told observable", lambda: self._make(made.observable(spec_version="2.1"))))[0]

    async def marking(self) -> Object:
        """A marking: created, but not modified."""
        return (await self._once("marking", lambda: self._make(made.marking())))[0]

    async def mixed(self) -> list[Object]:
        """An indicator, a malware and an identity."""
        return await self._once("mixed", lambda: self._make(made.indicator(), made.malware(), made.identity()))

    async def _once(self, name: str, make: Callable[[], Awaitable[list[Object]]]) -> list[Object]:
        if name not in self._stock:
            try:
                self._stock[name] = await make()
            except Skipped as skipped:
                self._stock[name] = skipped
            except Broken as broken:
                self._stock[name] = Skipped(f"its objects could not be made: {broken}")
        found = self._stock[name]
        if isinstance(found, Skipped):
            raise Skipped(str(found))
        return found

    async def _make(self, *objects: Object) -> list[Object]:
        await self.stored(*objects)
        return list(objects)

    async def _make_five(self) -> list[Object]:
        if self.may_write:
            return await self._make(*(made.indicator() for _ in range(5)))
        found = (await self.objects("limit=5")).objects
        if len(found) < 5 or not all(isinstance(one.get("id"), str) for one in found):
            raise Skipped("nothing may be posted, and the collection holds fewer than five objects")
        return found[:5]

    async def _make_history(self) -> list[Object]:
        first = made.indicator(modified=OLDEST)
        versions = {modified: first | {"modified": modified, "description": f"as of {modified}"} for modified in ARRIVAL}
        for modified in ARRIVAL:
            await self.stored(versions[modified])
        return [versions[OLDEST], versions[MIDDLE], versions[LATEST]]


def match_ids(objects: list[Object]) -> str:
    """Ask for these objects and no others; what else is in a collection does not disturb then."""
    return "match[id]=" + ",".join(str(one["id"]) for one in objects)


def named(objects: list[Object]) -> list[tuple[object, object]]:
    """Tell objects by id and version, for rules that are about which of them come and not about what is in them."""
    return [(one.get("id"), one.get("modified")) for one in objects]
