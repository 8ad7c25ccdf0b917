"""Write down who reads what is marked AMBER+STRICT or RED, before they get to see it.

That somebody read it, and where: never what it says. If it cannot be written, it is not shown.
"""

from collections.abc import Iterable, Sequence

from regcert.domain.collection import Collection
from regcert.domain.incident import Incident
from regcert.domain.principal import Principal
from regcert.stix.reader import MAX_SAFE_INTEGER
from regcert.stix.tlp import Tlp
from regcert.store.audit import note_deed
from regcert.store.database import Database
from regcert.store.programs import Program
from regcert.store.strict import holds_strict

STRICT = Tlp.AMBER_STRICT
_INCIDENTS_A_ROW = 10


async def note_reading(database: Database, principal: Principal, *subjects: str) -> None:
    """Write down that somebody is about to be shown something strictly marked; it is on disk when this returns.

    Args:
        database: where to.
        principal: who.
        subjects: what, a row each: a collection's slug and places in it, or the id of one thing; never content.

    Raises:
        Refusal: BUSY where it cannot be written. Whoever asked must not be answered then.
    """

    def write(now_us: int) -> Program[None]:
        for subject in subjects:
            yield from note_deed(principal, now_us, "read", subject)

    await database.apply(write)


async def note_page(
    database: Database,
    principal: Principal,
    collection: Collection,
    shape: str,
    span: tuple[int, int],
    stix_id: str | None,
    changed: int,
) -> None:
    """Write down that somebody is about to be shown a page, where anything on it is strictly marked.

    Nothing is asked of the database where the collection takes nothing so strict, and nothing twice as long as it stands.

    Args:
        database: where to.
        principal: who.
        collection: whose page.
        shape: whether objects, manifest or versions are shown.
        span: the places of the first and the last object on it.
        stix_id: of one object only, or None.
        changed: the collection's last change that the page was read under.

    Raises:
        Refusal: BUSY.
    """
    if collection.ceiling < STRICT:
        return
    key = ("strict", collection.collection_id, span, stix_id)
    is_strict: bool | None = database.memory.find(key, changed)
    if is_strict is None:
        is_strict = await database.run(holds_strict(collection.collection_id, *span, stix_id))
        database.memory.keep(key, changed, is_strict)
    if is_strict:
        await note_reading(database, principal, f"{collection.slug} {shape} {stix_id or f'{span[0]}..{span[1]}'}")


async def note_proof(database: Database, principal: Principal, collection_id: int, name: str, stix_id: str) -> None:
    """Write down that somebody is about to be shown a proof of an object, where any version of that is strictly marked.

    The manifest beside a proof names what else was published with the object.

    Args:
        database: where to.
        principal: who.
        collection_id: of the collection that the object stands in.
        name: the collection's slug or id.
        stix_id: which object.

    Raises:
        Refusal: BUSY.
    """
    if await database.run(holds_strict(collection_id, 0, MAX_SAFE_INTEGER, stix_id)):
        await note_reading(database, principal, f"{name} proof {stix_id}")


async def note_incidents(database: Database, principal: Principal, incidents: Iterable[Incident]) -> None:
    """Write down that somebody is about to be shown incidents, where any of them is strictly marked.

    Raises:
        Refusal: BUSY.
    """
    strict: Sequence[str] = [one.incident_id for one in incidents if one.marking >= STRICT]
    if strict:
        await note_reading(database, principal, *(f"incident {' '.join(some)}" for some in _parts(strict)))


def _parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _INCIDENTS_A_ROW] for start in range(0, len(ids), _INCIDENTS_A_ROW))
