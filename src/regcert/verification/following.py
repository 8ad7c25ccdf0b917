"""What one poll fetches into a mirror, and where the host contradicts its log, or what it said before, while it is fetched.

What can be found out from the mirror alone is `offline.py`'s; the whole poll is `polling.py`'s.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from regcert.errors import Code, Refusal
from regcert.signing.note import Note, is_named
from regcert.translog.checkpoint import Checkpoint
from regcert.translog.policy import Policy
from regcert.translog.tiles import TILE_WIDTH
from regcert.verification.alarms import Alarm, Alert
from regcert.verification.comparing import Comparison, compare, compare_by_tiles, tiles_to_compare
from regcert.verification.host_reader import HostReader
from regcert.verification.mirror import Mirror, State
from regcert.verification.proving import Prover
from regcert.verification.roots import Trust
from regcert.verification.witnessed import Witnessed

# As many as a host can be asked for.
MOST_WITNESSES = 31


class ObjectSource(Protocol):
    """Where objects come from: a TAXII client, whose pages are the exact bytes that the server sent."""

    def pages(self, added_after: str | None) -> AsyncIterator[tuple[Sequence[bytes], str | None]]:
        """Read every version of every object that was added later: for each page the objects, and when the last was added."""
        ...


@dataclass(slots=True)
class Poll:
    """One poll of one collection.

    Args:
        host: what is asked.
        objects: where objects come from.
        collection: the collection's id.
        mirror: what is kept.
        trust: what the reader believes.
    """

    host: HostReader
    objects: ObjectSource
    collection: str
    mirror: Mirror
    trust: Trust

    async def fetch_log(self, state: State) -> list[Alert]:
        """Fetch the log as far as it is signed.

        1. The newest checkpoint, and the newest one that a quorum has cosigned.
        2. It must not be smaller than what was seen, nor another one of the same size.
        3. All entries, which must give the root that was signed, together with those that were here before.

        Args:
            state: is moved where all is well.

        Returns:
            Why the log cannot be believed; nothing where it can.

        Raises:
            Refusal: INVALID_CHECKPOINT, INVALID_COSIGNATURE, and what the host says when it says no.
        """
        prover = Prover(self.trust.policy, state.host or None)
        newest, witnessed = await self._fetch_checkpoints(prover)  # 1
        before = prover.read_checkpoint(state.checkpoint.encode()) if state.checkpoint else None
        if before is not None and newest.checkpoint.size < before.checkpoint.size:  # 2
            shown = f"the log shows {newest.checkpoint.size} entries and had {before.checkpoint.size}"
            return [Alert(Alarm.ROLL_BACK, f"{shown}: an old copy, or entries were taken back")]
        if before is not None and compare(before.checkpoint, newest.checkpoint) is Comparison.FORK:
            return [self._accuse(before, newest)]
        alert = await self._fetch_entries(state, before, newest)  # 3
        if alert is None and witnessed is not None:
            alert = self._hold_against(newest, witnessed)
        if alert is not None:
            return [alert]
        state.host, state.size = newest.checkpoint.origin, newest.checkpoint.size
        state.checkpoint = self._own_lines(newest)
        if witnessed is not None and self._is_newer(state, witnessed, prover):
            state.witnessed = self._own_lines(witnessed)
        return []

    async def fetch_publications(self, state: State) -> list[Alert]:
        """Fetch which publications the host says there are, from the last one that was seen.

        Args:
            state: is moved where all is well.
        """
        last = state.publications
        rows, blind = await self.host.fetch_publications(self.collection, max(0, last - 1))
        known = list(self.mirror.rows(last))
        if state.blind and blind != state.blind:
            return [Alert(Alarm.REORDERING, "the host tells another blind of the collection than before, which hides its leaves")]
        if last and not rows:
            return [Alert(Alarm.ROLL_BACK, f"the host shows fewer publications than the {last} that were seen")]
        if last and rows[0] != known[-1]:
            return [Alert(Alarm.REORDERING, f"publication {last} is another one than was seen before")]
        fresh = rows[1:] if last else rows
        seen = {row.manifest for row in known}
        for number, row in enumerate(fresh, start=last + 1):
            if row.number > number:
                return [Alert(Alarm.OMISSION, f"publication {number} is not listed, and number {row.number} is")]
            if row.number < number or row.manifest in seen:
                return [Alert(Alarm.REORDERING, f"publication {number} is listed as another one, or twice")]
            seen.add(row.manifest)
        self.mirror.add_rows(last, fresh)
        state.publications, state.blind = last + len(fresh), blind
        return []

    async def fetch_objects(self, state: State) -> tuple[str, int]:
        """Fetch every object that came since, as the bytes that were sent; the place moves when the caller says so.

        Returns:
            How far was read, for `State.added_after`, and how many objects came.
        """
        added_after = state.added_after
        count = 0
        with self.mirror.adding(state.bundles + 1) as file:
            file.write(b'{"objects":[')
            async for bodies, last_added in self.objects.pages(state.added_after or None):
                for body in bodies:
                    file.write(b",\n" if count else b"\n")
                    file.write(body)
                    count += 1
                added_after = last_added or added_after
            file.write(b"\n]}\n")
        return added_after, count

    async def _fetch_checkpoints(self, prover: Prover) -> tuple[Witnessed, Witnessed | None]:
        newest = prover.read_checkpoint(await self.host.fetch_checkpoint())
        if newest.is_quorum and newest.trusted_s is not None:
            return newest, newest
        for count in range(fewest(self.trust.policy), MOST_WITNESSES + 1):
            # The host counts witnesses that this policy may not know: then more of them are asked for.
            note = await self.host.find_witnessed(count)
            found = None if note is None else prover.read_checkpoint(note)
            if found is None:
                break
            if found.is_quorum:
                return (found if found.checkpoint.size > newest.checkpoint.size else newest), found
        return newest, None

    async def _fetch_entries(self, state: State, before: Witnessed | None, newest: Witnessed) -> Alert | None:
        checkpoint = newest.checkpoint
        with self.mirror.log.grow(state.size) as growing:
            if before is not None and growing.root() != before.checkpoint.root:
                raise Refusal(
                    Code.INVALID_PROOF, "the mirror's copy of the log is damaged; begin a new mirror, and keep this one"
                )
            try:
                for number in range(state.size // TILE_WIDTH, -(-checkpoint.size // TILE_WIDTH)):
                    for entry in (await self.host.fetch_entries(number, checkpoint.size))[growing.size - number * TILE_WIDTH :]:
                        growing.add(entry)
            except Refusal as refusal:
                if refusal.code is not Code.INVALID_PROOF:
                    raise
                return Alert(Alarm.UNPROVEN, "a bundle of the log's entries cannot be read as one")
            if growing.root() == checkpoint.root:
                return None
        if before is not None and await self._is_fork(before.checkpoint, checkpoint):
            return self._accuse(before, newest)
        return Alert(Alarm.UNPROVEN, "the entries that the host shows do not give the root that the log has signed")

    async def _is_fork(self, before: Checkpoint, newest: Checkpoint) -> bool:
        """Find out whether the log has told two stories, or only shows bad entries: tiles that hash to its root cannot lie."""
        try:
            tiles = await self.host.fetch_tiles(tiles_to_compare(before, newest), newest.size)
        except Refusal:
            return False
        return compare_by_tiles(before, newest, tiles) is Comparison.FORK

    def _hold_against(self, newest: Witnessed, witnessed: Witnessed) -> Alert | None:
        size = witnessed.checkpoint.size
        survey = self.mirror.log.survey(newest.checkpoint.size, {size})
        return None if survey.fits(witnessed.checkpoint) else self._accuse(newest, witnessed)

    def _is_newer(self, state: State, witnessed: Witnessed, prover: Prover) -> bool:
        before = prover.read_checkpoint(state.witnessed.encode()) if state.witnessed else None
        if before is None or not before.is_quorum:
            return True
        return (witnessed.checkpoint.size, witnessed.fresh_s or 0) >= (before.checkpoint.size, before.fresh_s or 0)

    def _own_lines(self, seen: Witnessed) -> str:
        """Keep the lines that this policy knows: those of others prove nothing here, and take room."""
        keys = [*self.trust.policy.logs, *self.trust.policy.witnesses.values()]
        note = seen.note
        kept = (one for one in note.signatures if any(is_named(Note(note.text, (one,)), key) for key in keys))
        return Note(note.text, tuple(kept)).write().decode()

    def _accuse(self, one: Witnessed, other: Witnessed) -> Alert:
        """Keep both notes: they are the proof, and the host will not show them again."""
        names = []
        for seen in (one, other):
            names.append(f"fork-{seen.checkpoint.size}-{seen.checkpoint.root.hex()[:8]}.note")
            self.mirror.keep_fork(names[-1], seen.note.write())
        sentence = f"the log has signed two histories; show {names[0]} and {names[1]} of the mirror to the other members"
        return Alert(Alarm.EQUIVOCATION, sentence)


def fewest(policy: Policy) -> int:
    """Count how many witnesses a quorum has at least; 1 where the policy asks for none."""
    needed = dict.fromkeys(policy.witnesses, 1)
    for name, group in policy.groups.items():
        needed[name] = sum(sorted(needed[member] for member in group.members)[: group.threshold])
    return max(1, needed.get(policy.quorum, 1))
