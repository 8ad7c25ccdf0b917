"""One poll of one collection: fetch what is new into the mirror, then verify the mirror.

The order matters. The checkpoint comes first: whatever was in the log by then must be in every answer that comes later. The
mirror's state is written when what it speaks of is on disk, so that a poll that breaks off does no harm.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from regcert.errors import Code, Refusal
from regcert.signing.verdict import Finding
from regcert.verification.alarms import Alarm, Alert
from regcert.verification.collecting import Collector
from regcert.verification.following import Poll
from regcert.verification.judging import Gathered, gather
from regcert.verification.mirror import Mirror, State
from regcert.verification.mirrored import Mirrored, read_mirror
from regcert.verification.offline import Report, verify_mirror
from regcert.verification.reading import read_files
from regcert.verification.roots import Trust

_BROKEN = {Alarm.ROLL_BACK, Alarm.REORDERING, Alarm.OMISSION, Alarm.UNPROVEN}


async def poll_once(poll: Poll, now_us: Callable[[], int]) -> Report:
    """Poll once, and say what every object of the mirror is worth by now.

    1. The log. Where it cannot be believed, nothing else is asked, and the mirror is judged as it was.
    2. What the host says that it has of the collection; then the objects themselves.
    3. Proofs, and whether the host shows the keys that its log has.
    4. The mirror is judged as a whole. Where something is missing, the same is asked for again next time; of the log, everything
       stays: it is signed.

    Args:
        poll: what is asked, and where it goes.
        now_us: the present, by the reader's clock.

    Raises:
        Refusal: what the host says when it says no; INVALID_CHECKPOINT, INVALID_COSIGNATURE, INVALID_SETTING; BUSY where another
            process reads into the mirror.
    """
    poll.mirror.create()
    with poll.mirror.turn():
        return await _poll(poll, now_us)


async def _poll(poll: Poll, now_us: Callable[[], int]) -> Report:
    mirror = poll.mirror
    state = mirror.read_state()
    if state.collection not in {"", poll.collection}:
        raise Refusal(Code.INVALID_SETTING, "the mirror is of another collection; give each collection its own")
    state.collection = poll.collection
    alerts = await poll.fetch_log(state)  # 1
    if alerts:
        return await asyncio.to_thread(_judge_as_it_was, mirror, poll.trust, now_us(), alerts)
    log_state = msgspec.structs.replace(state)
    alerts = await poll.fetch_publications(state)  # 2
    read_until, count = await poll.fetch_objects(state)
    mirrored, gathered = await asyncio.to_thread(_read, mirror, poll.trust, state)
    statements = list(gathered.statements.values())
    collector = Collector(poll.host, poll.collection, mirrored)
    await collector.collect(statements)  # 3
    alerts += await collector.find_key_alerts(statements)
    report = await asyncio.to_thread(verify_mirror, mirrored, gathered, now_us(), alerts)  # 4
    if not _is_whole(report):
        mirror.write_state(log_state)
        return report
    if count:
        state.added_after, state.bundles = read_until, state.bundles + 1
    mirror.write_state(state)
    return report


def _is_whole(report: Report) -> bool:
    """Tell whether what was handed over is worth keeping: the next poll asks again for what is missing, misplaced or changed."""
    changed = any(one.finding is Finding.CHANGED for one in report.judged)
    return not changed and _BROKEN.isdisjoint(alert.alarm for alert in report.alerts)


def _read(mirror: Mirror, trust: Trust, state: State) -> tuple[Mirrored, Gathered]:
    return read_mirror(mirror, trust, state), gather(read_files(mirror.bundles()))


def _judge_as_it_was(mirror: Mirror, trust: Trust, now_us: int, alerts: Sequence[Alert]) -> Report:
    if not mirror.exists:
        return Report((), alerts, stale=True)
    return verify_mirror(*_read(mirror, trust, mirror.read_state()), now_us, alerts)
