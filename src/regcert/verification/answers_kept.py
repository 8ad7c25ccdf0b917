"""Proofs as the API of a host gives them, kept in files: `GET /api/v1/objects/{id}/{version}/proof`, one answer a file.

Such an answer has all that is needed for one publication: its number and the collection's blind, from which its entry follows,
proofs of that entry, and the key lists of the team with proofs of theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from regcert.clock import SECOND_US
from regcert.errors import Code, Refusal
from regcert.signing.verdict import Placed
from regcert.translog.leaf import KeyLeaf
from regcert.translog.proof_file import read_proof_file
from regcert.verification.key_histories import History, find_key_list, read_histories
from regcert.verification.proving import Prover
from regcert.verification.roots import Trust
from regcert.verification.statements import NOWHERE, Statement
from regcert.verification.witnessed import Witnessed

MOST_ANSWER_BYTES = 16 * 1024 * 1024


class ShownList(msgspec.Struct, frozen=True):
    """A key list as a proof answer shows it."""

    leaf_index: int
    envelope: dict[str, object]
    proof: str | None = None


class _Manifest(msgspec.Struct, frozen=True):
    id: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What of a proof answer is looked at."""

    number: int | None = None
    blind: str | None = None
    leaf_index: int | None = None
    manifest: _Manifest | None = None
    proof: str | None = None
    first: list[str] = []
    key_lists: list[ShownList] = []

    @property
    def proofs(self) -> list[bytes]:
        """Every proof of the publication's entry."""
        return [text.encode() for text in (*self.first, self.proof) if text]


def read_answer(body: bytes) -> Answer:
    """Read a proof answer.

    Raises:
        Refusal: INVALID_PROOF.
    """
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, ValueError) as error:
        raise Refusal(Code.INVALID_PROOF, "this is no answer about a proof; save what the API gives as it is") from error


@dataclass(slots=True)
class Kept:
    """What a folder of answers proves.

    Args:
        histories: the key lists, each at the place that its proof shows.
        placed: where publications stand.
        fresh_s: until when a quorum had seen the log, by the newest checkpoint; None where none has.
        is_forked: whether two checkpoints contradict each other.
    """

    histories: dict[str, History] = field(default_factory=dict)
    placed: dict[tuple[bytes, str], Placed] = field(default_factory=dict)
    fresh_s: int | None = None
    is_forked: bool = False


def read_kept(folder: Path, trust: Trust, statements: Iterable[Statement]) -> Kept:
    """Read the answers in a folder, and place publications by them.

    Args:
        folder: its files `*.json` are looked at, in the order of their names.
        trust: what the reader believes.
        statements: the publications.

    Raises:
        Refusal: INVALID_PROOF, TOO_LARGE, INVALID_SETTING.
    """
    answers = [read_answer(_read(path)) for path in sorted(folder.glob("*.json"))]
    prover = Prover(trust.policy)
    kept = Kept()
    seen: list[Witnessed] = []
    entered: dict[str, dict[int, object]] = {}
    for answer in answers:
        for shown in answer.key_lists:
            _enter(shown, prover, entered, seen)
    for one in statements:
        shown_of = [answer for answer in answers if answer.manifest and answer.manifest.id == one.publication.manifest_id]
        kept.placed[one.signed_as] = _place(one, shown_of, prover, seen)
    for logged in entered.values():
        kept.histories |= read_histories(sorted(logged.items()))
    newest: dict[str, Witnessed] = {}
    roots: dict[tuple[str, int], bytes] = {}
    for one_seen in seen:
        checkpoint = one_seen.checkpoint
        kept.is_forked |= roots.setdefault((checkpoint.origin, checkpoint.size), checkpoint.root) != checkpoint.root
        if one_seen.is_quorum and one_seen.fresh_s is not None:
            before = newest.get(checkpoint.origin)
            if before is None or (before.fresh_s or 0) < one_seen.fresh_s:
                newest[checkpoint.origin] = one_seen
    times = [one_seen.fresh_s for one_seen in newest.values() if one_seen.fresh_s is not None]
    kept.fresh_s = min(times, default=None)
    return kept


def _enter(shown: ShownList, prover: Prover, entered: dict[str, dict[int, object]], seen: list[Witnessed]) -> None:
    """Take a key list at the place that its proof shows; one without a good proof is nobody's."""
    read = find_key_list(shown.envelope)
    if isinstance(read, Refusal) or shown.proof is None:
        return
    try:
        proof = read_proof_file(shown.proof.encode())
        origin = prover.read_checkpoint(proof.note).checkpoint.origin
        place, by = prover.place_read(proof, KeyLeaf(shown.envelope).write(), origin)
    except Refusal:
        return
    seen.append(by)
    if place.leaf_index is not None:
        entered.setdefault(read[1].team, {})[place.leaf_index] = shown.envelope


def _place(one: Statement, answers: Iterable[Answer], prover: Prover, seen: list[Witnessed]) -> Placed:
    best: tuple[int, Placed] | None = None
    for answer in answers:
        blind, number = _find_hex(answer.blind), answer.number
        if blind is None or number is None:
            continue
        for proof in answer.proofs:
            try:
                place, by = prover.place(proof, one.leaf(blind, number), one.publication.host)
            except Refusal:
                continue
            seen.append(by)
            size = by.checkpoint.size if place.witnessed_us is not None else (1 << 64)
            if best is None or size < best[0]:
                best = size, place
    return best[1] if best else NOWHERE


def is_stale(fresh_s: int | None, trust: Trust, now_us: int) -> bool:
    """Tell whether a view is older than its reader's limit."""
    return trust.fresh_s is not None and fresh_s is not None and fresh_s * SECOND_US < now_us - trust.fresh_s * SECOND_US


def _find_hex(text: str | None) -> bytes | None:
    try:
        return None if text is None else bytes.fromhex(text)
    except ValueError:
        return None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_ANSWER_BYTES + 1)
    except OSError as error:
        raise Refusal(Code.INVALID_SETTING, f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > MOST_ANSWER_BYTES:
        raise Refusal(Code.TOO_LARGE, f"{path.name} is larger than {MOST_ANSWER_BYTES} bytes; it is no answer about a proof")
    return data
