"""Find the values that changed guards judge otherwise than they were judged, and have correlation judge them anew."""

from regcert.correlation.group import Held
from regcert.correlation.guards import Guards
from regcert.correlation.protected import guard_protected
from regcert.store.database import Database
from regcert.store.decisions import judge_anew as enter
from regcert.store.order import take_positions
from regcert.store.programs import Program
from regcert.store.protected import load_audience
from regcert.store.swept import Swept, find_swept, list_judged, list_shown_scopes, note_swept

A_PAGE = 500
# A page may make a stretch of its own: correlation reads so many values at once, and others come in between.


async def judge_anew(database: Database, guards: Guards, state: str) -> bool:
    """Go through all that correlation shows or holds back, page by page, and enter what the guards would judge otherwise now.

    What is compared is the verdict as it stands and not the lists as they were: so it does not matter how often a list changed
    meanwhile, and whoever is interrupted begins again and finds the rest. What no two countries hold is not looked at: it is
    judged when a second one comes.

    Args:
        database: where.
        guards: what is benign now.
        state: what tells these guards and all that teams protect from any others.

    Returns:
        Whether anything has to be judged anew.
    """
    if await database.run(find_swept()) == state:
        return False
    found = False
    for scope in await database.run(list_shown_scopes()):
        audience = await database.run(load_audience(scope))
        protected = guard_protected(audience.protected)
        after = b""
        while page := await database.run(list_judged(scope, after, A_PAGE)):
            keys = {one.key for one in page if _is_otherwise(one, guards, protected)}
            if keys:
                found = True
                await database.apply(lambda now_us, scope=scope, keys=keys: _enter(scope, keys, now_us))  # type: ignore[misc]
            after = page[-1].key
    await database.apply(lambda _: note_swept(state))
    return found


def _is_otherwise(one: Swept, guards: Guards, protected: Guards) -> bool:
    """Tell whether a value is guarded now and was not, is not and was, or for another reason."""
    guarded = guards.find_reason(one.observable)
    if guarded is not None:
        return one.held != Held.GUARDED or one.reason != guarded
    if protected.find_reason(one.observable) is not None:
        return one.held != Held.PROTECTED
    return one.held in {Held.GUARDED, Held.PROTECTED}


def _enter(scope: str, keys: set[bytes], now_us: int) -> Program[None]:
    [position] = yield from take_positions(1, now_us)
    yield from enter(position, scope, keys)
