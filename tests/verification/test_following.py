"""A reader who follows a host: the honest one passes, and each lie is found out within one poll, by its name."""

import json
from collections import Counter
from pathlib import Path

import pytest

from regcert.client.verifying import pull_verified
from regcert.clock import DAY_US
from regcert.errors import Code, Refusal
from regcert.signing.note import Note, Signature, read_note
from regcert.signing.private_key import new_private_key
from regcert.signing.verdict import Verdict
from regcert.translog.leaf import AuditLeaf
from regcert.translog.policy import read_policy
from regcert.verification.alarms import find_exit_code
from regcert.verification.mirror import Mirror
from regcert.verification.offline import Report, verify
from regcert.verification.roots import Trust
from regcert.verification.witnessed import require_checkpoint
from tests.hosting import StillClock
from tests.verification.lies import EARLY, LATE, LIES, Lie, add_ambiguous, add_unsigned, do_nothing, rename_collection, sign_twice
from tests.verification.served_world import TOKEN, Server, serving, signed
from tests.verification.stranger_set import judge_mirror
from tests.verification.world import SLUG, World, make_world, write_policy


async def poll(server: Server, world: World, mirror: Path, late_s: float = 1.0) -> Report:
    clock = StillClock(server.shown.now_us + int(late_s * 1_000_000))
    return await pull_verified(server.url, TOKEN, SLUG, mirror, world.trust, clock=clock)


async def test_honest(world, tmp_path):
    """Two polls of an honest host: every object has the verdict that its history asks for, and there is no alarm."""
    async with serving(world.early) as server:
        report = await poll(server, world, tmp_path)
        assert [alert.sentence for alert in report.alerts] == []
        assert set(report.counts) == {Verdict.VALID}
        server.shown = world.late
        report = await poll(server, world, tmp_path)
    assert [alert.sentence for alert in report.alerts] == []
    assert {one.stix_id: one.finding.verdict.value for one in report.judged} == world.expected


async def test_what_witnesses_have_not_seen_yet(world, tmp_path):
    """A log is always a little ahead of its witnesses: that is no alarm, and what is that new is UNWITNESSED for a while."""
    shown = world.late.copy()
    note = read_note(shown.checkpoint)
    shown.checkpoint, shown.witnessed = Note(note.text, note.signatures[:1]).write(), world.early.checkpoint
    fresh = [row["manifest"] for row in shown.rows[len(world.early.rows) :]]
    for manifest in fresh:
        shown.proofs[manifest] |= {"proof": None, "first": []}
    trust = Trust(world.policy, world.roots, None)
    early = {json.loads(body)["id"] for _, body in world.early.objects}
    async with serving(shown) as server:
        clock = StillClock(shown.now_us)
        report = await pull_verified(server.url, TOKEN, SLUG, tmp_path, trust, clock=clock)
        assert report.alerts == []
        judged = {one.stix_id: one.finding.row for one in report.judged}
        assert {name for name, row in judged.items() if row in {"K6", "K3"}} == judged.keys() - early
        server.shown = world.late
        report = await pull_verified(server.url, TOKEN, SLUG, tmp_path, trust, clock=clock)
    assert {one.stix_id: one.finding.verdict.value for one in report.judged} == world.expected


async def test_one_process_reads_into_a_mirror(world, tmp_path):
    """Two cron jobs that overlap: the second one says so, and breaks nothing."""
    async with serving(world.late) as server:
        await poll(server, world, tmp_path)
        with Mirror(tmp_path).turn(), pytest.raises(Refusal) as refused:
            await poll(server, world, tmp_path)
        assert refused.value.code is Code.BUSY
        assert (await poll(server, world, tmp_path)).alerts == []


async def test_witnesses_that_only_others_know(world, tmp_path):
    """A host counts all its witnesses, a reader only his own: who believes one of them finds the checkpoint that has it."""
    shown = world.late.copy()
    note = read_note(shown.checkpoint)
    shown.checkpoint = signed([*shown.entries, AuditLeaf(7, bytes(32)).write()], world.origin, world.log)
    shown.entries.append(AuditLeaf(7, bytes(32)).write())
    shown.witnessed_of = {1: Note(note.text, note.signatures[:2]).write(), 2: note.write()}
    text = write_policy(world.policy.logs[0], "any").decode()
    only = "\n".join(line for line in text.replace(" any w0 w1", " any w1").split("\n") if not line.startswith("witness w0"))
    trust = Trust(read_policy(only.encode()), world.roots)
    async with serving(shown) as server:
        report = await pull_verified(server.url, TOKEN, SLUG, tmp_path, trust, clock=StillClock(shown.now_us))
    assert report.alerts == []
    assert {one.stix_id: one.finding.verdict.value for one in report.judged} == world.expected


async def test_real_host(world):
    """The host itself, on its socket, with a consumer's token: nothing is wrong, the first time and the second."""
    for report in world.live:
        assert [alert.sentence for alert in report.alerts] == []
        assert {one.stix_id: one.finding.verdict.value for one in report.judged} == world.expected


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.name)
async def test_lie_is_found_out(world, tmp_path, lie: Lie):
    """Each lie, told to a reader who has seen nothing, something or everything before: one poll, and it has its name."""
    async with serving(world.late) as server:
        if lie.seen in {EARLY, LATE}:
            server.shown = world.early if lie.seen == EARLY else world.late
            assert (await poll(server, world, tmp_path)).alerts == []
        server.shown = (world.late if lie.base == LATE else world.early).copy()
        lie.change(world, server.shown)
        report = await poll(server, world, tmp_path, lie.late_s)
        assert [alert.alarm.title for alert in report.alerts][:1] == ([lie.alarm] if lie.alarm else [])
        assert find_exit_code(report.alerts, report.counts) == lie.exit_code
        if lie.name == "another blind than before":
            assert ["another blind" in alert.sentence for alert in report.alerts].count(True) == 1
        if any("two histories" in alert.sentence for alert in report.alerts):
            evidence = [read_note(path.read_bytes()) for path in tmp_path.glob("fork-*.note")]
            one, other = (require_checkpoint(note, world.policy.logs[0]) for note in evidence)
            assert one.root != other.root
        else:
            assert lie.alarm != "equivocation" or lie.change is sign_twice
        # A reader who looks again is told again: nothing of the lie has become what he knows.
        again = await poll(server, world, tmp_path, lie.late_s)
        assert [alert.alarm for alert in again.alerts][:1] == [alert.alarm for alert in report.alerts][:1]
        # One that comes back to the truth is believed again, unless what it has signed meanwhile speaks against it.
        if lie.change is rename_collection:
            return  # the mirror is of that collection now
        if not list(tmp_path.glob("fork-*.note")) and Mirror(tmp_path).read_state().size <= len(world.late.entries):
            server.shown = world.late
            healed = await poll(server, world, tmp_path)
            assert [alert.sentence for alert in healed.alerts if lie.change is not sign_twice] == []
            found = {one.stix_id: one.finding.verdict.value for one in healed.judged}
            assert found == world.expected or lie.change in {sign_twice, add_unsigned, add_ambiguous}


@pytest.mark.parametrize("lie", [Lie("nothing", do_nothing, "", 0), *LIES], ids=lambda lie: lie.name)
async def test_stranger_agrees(world, tmp_path, lie: Lie):
    """A verifier that shares no code judges every object of every mirror, honest or not, in the same way."""
    async with serving((world.late if lie.base == LATE else world.early).copy()) as server:
        lie.change(world, server.shown)
        await poll(server, world, tmp_path, lie.late_s)
    if not Mirror(tmp_path).exists:
        return  # not even the log could be believed, and nothing was kept
    for fresh_s in (600.0, None):
        now_us = world.late.now_us + int(lie.late_s * 1_000_000)
        report = verify([tmp_path], Trust(world.policy, world.roots, fresh_s), now_us)
        roots = {team: root.hex() for team, root in world.roots.items()}
        strangers = judge_mirror(tmp_path, world.policy_text.decode(), roots, now_us, fresh_s)
        ours = Counter((one.stix_id, one.version, one.finding.verdict.value) for one in report.judged if one.stix_id)
        assert ours == Counter((stix_id, version, found) for (stix_id, version, _), found in strangers.items())


async def test_who_signed_what_is_shown(world, tmp_path):
    """Plain lies about signatures end the poll with a refusal, and nothing is kept."""
    other = world.early.copy()
    other.checkpoint = signed(other.entries, world.origin, new_private_key())
    forged = world.early.copy()
    note = read_note(forged.checkpoint)
    [log, one, two] = note.signatures
    broken = Signature(two.name, two.key_hash, two.value[:-1] + bytes([two.value[-1] ^ 1]))
    forged.checkpoint = Note(note.text, (log, one, broken)).write()
    for shown, code in ((other, Code.INVALID_CHECKPOINT), (forged, Code.INVALID_COSIGNATURE)):
        async with serving(shown) as server:
            with pytest.raises(Refusal) as refused:
                await poll(server, world, tmp_path)
        assert refused.value.code is code
        assert not Mirror(tmp_path).exists


@pytest.mark.parametrize("days", [-1, 1])
async def test_clock_of_the_host_moves_nothing(world, tmp_path, days):
    """A host whose clock is a day off: every verdict is the same, for witnesses tell the time."""
    other = await make_world(tmp_path / "world", days * DAY_US)
    async with serving(other.late) as server:
        report = await poll(server, other, tmp_path / "mirror")
    assert report.alerts == []
    assert {one.stix_id: one.finding.verdict.value for one in report.judged} == other.expected
