"""What a mirror says about publications: the keys of the teams, the place of each publication, and when the log was seen.

Spec: docs/signing.md §7 and §8.1
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from regcert.clock import SECOND_US
from regcert.errors import Code, Refusal
from regcert.signing.verdict import Placed
from regcert.translog.leaf import PublicationLeaf, read_leaf, tag
from regcert.translog.policy import NONE
from regcert.verification.alarms import Alarm, Alert
from regcert.verification.key_histories import History, read_histories
from regcert.verification.log_copy import Survey
from regcert.verification.mirror import Mirror, Row, State
from regcert.verification.proving import Prover
from regcert.verification.roots import Trust
from regcert.verification.statements import NOWHERE, Statement
from regcert.verification.witnessed import Witnessed

# A host numbers publications without gaps: whoever hides more than so many at once is found by the first of them.
_LOOK_AHEAD = 64


@dataclass(frozen=True)  # without slots, which would leave no room for what is found later
class Mirrored:
    """A mirror that was read.

    Args:
        mirror: the folder.
        state: how far its reader has come.
        rows: each publication, by the id of its manifest.
        survey: of its copy of the log.
        newest: the newest checkpoint.
        witnessed: the newest one with a quorum, or None.
        trust: what the reader believes.
    """

    mirror: Mirror
    state: State
    rows: Mapping[str, Row]
    survey: Survey
    newest: Witnessed
    witnessed: Witnessed | None
    trust: Trust

    @cached_property
    def histories(self) -> dict[str, History]:
        """The key lists of every team that the log has."""
        return read_histories(self.survey.key_lists)

    @cached_property
    def blind(self) -> bytes:
        """The collection's blind; empty where the host has told none."""
        return bytes.fromhex(self.state.blind)

    @cached_property
    def prover(self) -> Prover:
        """By which proofs are judged."""
        return Prover(self.trust.policy, self.state.host)

    def require_witnessed(self) -> None:
        """Refuse to take anything from a log that nobody vouches for.

        Raises:
            Refusal: INVALID_PROOF.
        """
        seen = self.newest if self.trust.policy.quorum == NONE else self.witnessed
        if seen is None or self.mirror.forks() or not self.survey.fits(seen.checkpoint):
            raise Refusal(Code.INVALID_PROOF, "no quorum of your witnesses vouches for the log of this mirror; pull it again")

    def place_all(self, statements: Iterable[Statement]) -> dict[tuple[bytes, str], Placed]:
        """Find the places of those publications that have one."""
        placed = ((one.signed_as, self.place(one)) for one in statements)
        return {signed_as: place for signed_as, place in placed if place.leaf_index is not None}

    def place(self, one: Statement) -> Placed:
        """Find the place of a publication, and its trusted time from the smallest checkpoint at hand that gives one."""
        row = self.rows.get(one.publication.manifest_id)
        if row is None or not self.is_entered(one, row):
            return NOWHERE
        seen = [place for place in (self._find_proven(one, row), self._find_seen(row)) if place is not None]
        return min(seen, key=lambda sized: sized[0])[1] if seen else Placed(row.leaf_index, None)

    def is_entered(self, one: Statement, row: Row) -> bool:
        """Tell whether the log has a publication where the host says."""
        return self.survey.entries.get(row.leaf_index) == one.leaf(self.blind, row.number)

    def _find_proven(self, one: Statement, row: Row) -> tuple[int, Placed] | None:
        proof = self.mirror.find_proof(one.publication.manifest_id)
        if proof is None:
            return None
        try:
            place, seen = self.prover.place(proof, one.leaf(self.blind, row.number), self.state.host)
        except Refusal:
            return None  # the copy of the log still says where it stands
        if place.witnessed_us is None or place.leaf_index != row.leaf_index:
            return None
        return seen.checkpoint.size, place

    def _find_seen(self, row: Row) -> tuple[int, Placed] | None:
        seen = self.witnessed
        if seen is None or seen.trusted_s is None or seen.checkpoint.size <= row.leaf_index:
            return None
        return seen.checkpoint.size, Placed(row.leaf_index, seen.trusted_s * SECOND_US)

    def find_log_alerts(self, now_us: int) -> Iterator[Alert]:
        """Find what is wrong with the log and its key lists.

        Args:
            now_us: the present, by the reader's clock.
        """
        if self.mirror.forks():
            yield Alert(
                Alarm.EQUIVOCATION, "the log has told two stories; show the fork-….note files of the mirror to the others"
            )
        if not self.survey.fits(self.newest.checkpoint):
            yield Alert(Alarm.UNPROVEN, "the mirror's copy of the log does not give the root that the log signed")
        elif self.witnessed is not None and not self.survey.fits(self.witnessed.checkpoint):
            yield Alert(Alarm.EQUIVOCATION, "the log has told its witnesses another story than this reader; keep the mirror")
        yield from self._find_freeze(now_us)
        yield from self._find_key_alerts()

    def _find_freeze(self, now_us: int) -> Iterator[Alert]:
        limit_s = self.trust.fresh_s
        if limit_s is None or self.trust.policy.quorum == NONE:
            return
        if self.witnessed is None or self.witnessed.fresh_s is None:
            yield Alert(Alarm.FREEZE, "the host shows no checkpoint that a quorum of your witnesses has seen")
        elif self.witnessed.fresh_s * SECOND_US < now_us - limit_s * SECOND_US:
            yield Alert(Alarm.FREEZE, f"no quorum of witnesses has seen this log for more than {limit_s:.0f} seconds")

    def _find_key_alerts(self) -> Iterator[Alert]:
        for team, history in self.histories.items():
            if history.refused is not None:
                whose = team or "nobody"
                yield Alert(Alarm.FORGED_KEY_LIST, f"the log has a key list of {whose} that does not continue the last one")
        for team, root in self.trust.roots.items():
            known = self.histories.get(team)
            if known is not None and known.lists and not known.has_root(root):
                yield Alert(Alarm.FORGED_KEY_LIST, f"the key lists of {team} are of another root than the one you have pinned")

    def find_order_alerts(self, statements: Iterable[Statement]) -> Iterator[Alert]:
        """Find publications that are not what, or not where, the log says.

        Args:
            statements: all that stand in the mirror.
        """
        by_id: dict[str, list[Statement]] = {}
        for one in statements:
            by_id.setdefault(one.publication.manifest_id, []).append(one)
        committed = self._committed()
        for row in self.rows.values():
            if row.leaf_index >= self.state.size:
                continue  # newer than the checkpoint: the next reading asks again
            found = by_id.get(row.manifest, [])
            if not found:
                yield Alert(Alarm.OMISSION, f"publication {row.number} is in the log, and its manifest was not handed over")
            elif not any(self.is_entered(one, row) for one in found):
                elsewhere = any(_committed_to(one) in committed for one in found)
                alarm = Alarm.REORDERING if elsewhere else Alarm.OMISSION
                what = "stands elsewhere in the log" if elsewhere else "is not the one that the log has"
                yield Alert(alarm, f"publication {row.number} as it was handed over {what}")
        yield from self._find_row_alerts()

    def _find_row_alerts(self) -> Iterator[Alert]:
        rows = list(self.rows.values())
        for before, after in pairwise(rows):
            if after.leaf_index <= before.leaf_index:
                yield Alert(Alarm.REORDERING, f"publication {after.number} stands in the log before number {before.number}")
        last: dict[str, int] = {}
        for row in rows:
            seq = last.get(row.team, 0)
            if row.seq <= seq:
                yield Alert(Alarm.REORDERING, f"publication {row.number} counts back: a team's numbers only rise")
            elif row.seq > seq + 1:
                yield Alert(Alarm.OMISSION, f"number {seq + 1} of a team is missing before publication {row.number}")
            last[row.team] = max(seq, row.seq)
        hidden = [number for number in self._tagged() if number > self.state.publications]
        if hidden:
            yield Alert(
                Alarm.OMISSION, f"the log has publication {min(hidden)} of this collection, and the host does not show it"
            )

    def _tagged(self) -> list[int]:
        tags = tags_of(self.state)
        return [tags[found] for found in self.survey.tagged]

    def _committed(self) -> set[bytes]:
        found: set[bytes] = set()
        for entry in self.survey.entries.values():
            leaf = read_leaf(entry) if entry.startswith(b'{"c":') else None
            if isinstance(leaf, PublicationLeaf):
                found.add(leaf.commitment)
        return found


def read_mirror(mirror: Mirror, trust: Trust, state: State) -> Mirrored:
    """Read what a mirror says.

    Args:
        mirror: the folder.
        trust: what the reader believes.
        state: how far the reader has come.

    Raises:
        Refusal: INVALID_SETTING where it is damaged; INVALID_CHECKPOINT, INVALID_COSIGNATURE, INVALID_PROOF.
    """
    prover = Prover(trust.policy, state.host)
    newest = prover.read_checkpoint(state.checkpoint.encode())
    witnessed = prover.read_checkpoint(state.witnessed.encode()) if state.witnessed else None
    if witnessed is not None and not witnessed.is_quorum:  # by a policy that has changed since
        witnessed = None
    rows = {row.manifest: row for row in mirror.rows(state.publications)}
    sizes = {seen.checkpoint.size for seen in (newest, witnessed) if seen is not None}
    indexes = {row.leaf_index for row in rows.values()}
    survey = mirror.log.survey(state.size, sizes, tags_of(state).keys(), indexes)
    return Mirrored(mirror, state, rows, survey, newest, witnessed, trust)


def tags_of(state: State) -> dict[bytes, int]:
    """Compute the tags of the publications that are known, and of those that would come next."""
    blind = bytes.fromhex(state.blind)
    return {tag(blind, number): number for number in range(1, state.publications + _LOOK_AHEAD + 1)} if blind else {}


def _committed_to(one: Statement) -> bytes:
    leaf = read_leaf(one.leaf(b"", 0))
    return leaf.commitment if isinstance(leaf, PublicationLeaf) else b""
