"""Make the live state of correlation anew from the ledger, and keep the ids of incidents that come again."""

import uuid
from dataclasses import replace

from regcert.correlation.cluster import keep_ids
from regcert.store.database import Database
from regcert.store.incidents import load_incidents
from regcert.store.ledger import Span
from regcert.store.outgoing import note_everything
from regcert.store.programs import Program
from regcert.store.rebuilding import absorb_incidents, begin_rebuild, end_rebuild, find_target, load_former, rename_incident


async def rebuild(database: Database) -> None:
    """Forget what correlation made, and let it read the ledger again from the beginning.

    The next calls of `correlate` read it, in the same stretches; until they are where it was, incidents are few and go by ids of
    their own, and nobody is told of any. Then each goes by the id under which most of its values were known. If we crash in
    between, reading goes on at the mark.

    Args:
        database: where.
    """
    await database.apply(lambda _: begin_rebuild())


def finish_rebuild(span: Span) -> Program[bool]:
    """Give incidents their ids again behind the last stretch that was read before.

    Args:
        span: the stretch that was just read.

    Returns:
        Whether the stretch was being read again: what it made was told when it was read first.
    """
    target = yield from find_target()
    if span.end < target:
        return True
    if not target:
        return False
    for scope, (present, former) in (yield from load_former()).items():
        # A coordinator's word has given some their ids already.
        named = {one for one in present if one in former.values()}
        unnamed = {one: frozenset(keys) for one, keys in present.items() if one not in named}
        kept = keep_ids([*unnamed.values()], {key: one for key, one in former.items() if one not in named}, _new_id)
        ids = {keys: one for one, keys in kept.incidents.items()}
        incidents = yield from load_incidents(unnamed.keys())
        for old, keys in unnamed.items():
            yield from rename_incident(old, replace(incidents[old], incident_id=ids[keys]))
        yield from absorb_incidents(scope, kept.absorbed)
    yield from end_rebuild()
    yield from note_everything()
    return True


def _new_id() -> str:
    return str(uuid.uuid4())
