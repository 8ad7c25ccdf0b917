"""What a signature is worth, as a pure function: the same facts give the same verdict, on every machine and at every hour.

Keys change their status in the log, and a publication stands in the same log: which came first is a matter of two numbers that
no host can change afterwards, not of a clock. When somebody else may have had a key is a matter of time, and time is what
witnesses say. What the object or the host says about time decides nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from regcert.domain.key_list import KeyList, KeyReason, KeyStatus, TeamKey


class Verdict(StrEnum):
    """What a reader should think of an object."""

    VALID = "VALID"
    VALID_RETIRED = "VALID_RETIRED"
    SUSPECT = "SUSPECT"
    INVALID = "INVALID"
    UNSIGNED = "UNSIGNED"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    UNWITNESSED = "UNWITNESSED"
    FORK = "FORK"
    STALE = "STALE"
    BAD_HASH = "BAD_HASH"

    @property
    def exit_code(self) -> int:
        """The exit code of a program whose answer this is; fixed, because scripts act on it."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Verdict.VALID: 0,
    Verdict.VALID_RETIRED: 10,
    Verdict.SUSPECT: 11,
    Verdict.INVALID: 12,
    Verdict.UNSIGNED: 13,
    Verdict.UNKNOWN_KEY: 14,
    Verdict.UNWITNESSED: 15,
    Verdict.FORK: 16,
    Verdict.STALE: 17,
    Verdict.BAD_HASH: 18,
}

# Where several publications list one object, the best of them counts: a team may sign again for what it stands by. But for a
# fork: of a log or a team that tells two stories, neither is believed.
_BEST_FIRST = (
    Verdict.FORK,
    Verdict.VALID,
    Verdict.VALID_RETIRED,
    Verdict.STALE,
    Verdict.UNWITNESSED,
    Verdict.SUSPECT,
    Verdict.UNKNOWN_KEY,
    Verdict.INVALID,
    Verdict.BAD_HASH,
    Verdict.UNSIGNED,
)

_WORST_FIRST = (
    Verdict.FORK,
    Verdict.BAD_HASH,
    Verdict.INVALID,
    Verdict.UNKNOWN_KEY,
    Verdict.UNSIGNED,
    Verdict.SUSPECT,
    Verdict.STALE,
    Verdict.UNWITNESSED,
    Verdict.VALID_RETIRED,
    Verdict.VALID,
)


class Finding(Enum):
    """One row of the table of docs/signing.md: its name there, the verdict, and the reason for a person."""

    FORKED = ("A1", Verdict.FORK, "the log or the team has told two stories; keep both, and show them to the other members")
    UNLISTED = ("A2", Verdict.UNSIGNED, "no publication lists it")
    CHANGED = ("A3", Verdict.BAD_HASH, "a publication lists it with another hash: this is not what was signed")
    UNSOUND = ("A4", Verdict.INVALID, "the publication that lists it is malformed, or made for another host, collection or team")
    KEY_UNKNOWN = ("A5", Verdict.UNKNOWN_KEY, "no key list of the team that you know names the key")
    BAD_SIGNATURE = ("A6", Verdict.INVALID, "the signature does not fit")
    NOT_YET_LISTED = ("K1", Verdict.INVALID, "it was entered in the log before the key was")
    ENDED_BEFORE = ("K2", Verdict.INVALID, "it was entered in the log after the key had been retired or revoked")
    STOLEN_UNPROVEN = ("K3", Verdict.INVALID, "the key is compromised, and nothing proves that the signature is older")
    STOLEN_SOMETIME = ("K4", Verdict.SUSPECT, "the key was compromised later or before; the team does not say since when")
    STOLEN_BEFORE = ("K5", Verdict.INVALID, "at the time that witnesses vouch for, the key was compromised already")
    NO_TIME = ("K6", Verdict.UNWITNESSED, "no quorum of witnesses vouches for it yet")
    OLD_VIEW = ("K7", Verdict.STALE, "what you know of the log or of the team's keys is too old; fetch it again")
    STOLEN_AFTER = ("K8", Verdict.VALID, "it was signed before the key was compromised, and witnesses vouch for that")
    ENDED_AFTER = ("K9", Verdict.VALID_RETIRED, "it was signed while the key was good, which it is not any more")
    GOOD = ("K10", Verdict.VALID, "it was signed by a key that was good then and is good now")

    def __init__(self, row: str, verdict: Verdict, reason: str) -> None:
        self.row = row
        self.verdict = verdict
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LoggedList:
    """A key list and its place in the log.

    Args:
        key_list: of the team; its signatures have been checked, and that it follows the one before.
        leaf_index: from when on it holds.
    """

    key_list: KeyList
    leaf_index: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a publication stands, and when that was so at the latest.

    Args:
        leaf_index: its place in the log; None where no proof of that is at hand.
        witnessed_us: t*: when a quorum of witnesses had seen a log that includes it; None where none has.
    """

    leaf_index: int | None
    witnessed_us: int | None


class Listing(StrEnum):
    """Whether a publication lists an object."""

    ABSENT = "absent"
    OTHER_HASH = "other-hash"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the verdict on one object under one publication depends on.

    Args:
        listing: whether the publication lists this id and version, with this hash.
        sound: the manifest can be read, and is made for this host, this collection and its team.
        signed: the signature fits the key that it names; of no meaning where no list names the key.
        key_id: the key that the envelope names.
        history: every key list of the team that the reader knows, in the order of their versions.
        placed: the publication in the log.
        now_us: the present, by the reader's own clock.
        stale: the reader's view of this log is older than its policy lets pass, or something of it is withheld.
        forked: the log has shown two trees, or the team has signed two publications of one number in this collection.
    """

    listing: Listing
    sound: bool
    signed: bool
    key_id: str
    history: Sequence[LoggedList]
    placed: Placed
    now_us: int
    stale: bool = False
    forked: bool = False


def judge(facts: Facts) -> Finding:
    """Judge one object under one publication: the first row of the table that fits.

    Total: there is an answer for any facts. Pure: nothing else is asked.
    """
    if facts.forked:
        return Finding.FORKED
    if facts.listing is not Listing.LISTED:
        return Finding.UNLISTED if facts.listing is Listing.ABSENT else Finding.CHANGED
    if not facts.sound:
        return Finding.UNSOUND
    finding = find_key_row(facts.history, facts.key_id, facts.placed, facts.now_us, stale=facts.stale)
    if finding is not Finding.KEY_UNKNOWN and not facts.signed:
        return Finding.BAD_SIGNATURE
    return finding


def judge_key(history: Sequence[LoggedList], key_id: str, placed: Placed, now_us: int, *, stale: bool = False) -> Verdict:
    """Judge a good signature by what became of its key; the verdict of `find_key_row`."""
    return find_key_row(history, key_id, placed, now_us, stale=stale).verdict


def find_key_row(history: Sequence[LoggedList], key_id: str, placed: Placed, now_us: int, *, stale: bool = False) -> Finding:
    """Find the row of the table that fits a good signature.

    1. What the key was when the publication was entered in the log: the newest list with a smaller leaf index says it.
    2. What the key is now: the newest list of all. A key that somebody else may have had is worth only what witnesses saw.
    3. Without a witnessed time, or with an old view, nothing better can be said.

    Args:
        history: every key list of the team that the reader knows, in the order of their versions.
        key_id: the key that signed.
        placed: the publication in the log.
        now_us: the present.
        stale: the reader's view of the log is too old.
    """
    if all(logged.key_list.find_key(key_id) is None for logged in history):
        return Finding.KEY_UNKNOWN
    if placed.leaf_index is not None:  # 1
        then = _entry_before(history, key_id, placed.leaf_index)
        if then is None or then.status is not KeyStatus.ACTIVE:
            return Finding.NOT_YET_LISTED if then is None else Finding.ENDED_BEFORE
    # A time without a place would be somebody's word, and not the witnesses'.
    witnessed_us = placed.witnessed_us if placed.leaf_index is not None else None
    now = history[-1].key_list.find_key(key_id)
    finding = _find_present_row(now, placed.leaf_index, witnessed_us)  # 2
    if finding.verdict not in {Verdict.VALID, Verdict.VALID_RETIRED}:
        return finding
    if witnessed_us is None:  # 3
        return Finding.NO_TIME
    return Finding.OLD_VIEW if stale or history[-1].key_list.expires_us <= now_us else finding


def best(findings: Iterable[Finding]) -> Finding:
    """Choose among what several publications say of one object; `UNLISTED` where there is none."""
    return min(findings, key=lambda finding: _BEST_FIRST.index(finding.verdict), default=Finding.UNLISTED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Choose the answer for a whole set: its worst verdict; `VALID` for an empty one, of which nothing is wrong."""
    return min(verdicts, key=_WORST_FIRST.index, default=Verdict.VALID)


def _entry_before(history: Sequence[LoggedList], key_id: str, leaf_index: int) -> TeamKey | None:
    """Find what the last list that was entered before a leaf says of a key."""
    earlier = [logged.key_list for logged in history if logged.leaf_index < leaf_index]
    return earlier[-1].find_key(key_id) if earlier else None


def _find_present_row(now: TeamKey | None, leaf_index: int | None, witnessed_us: int | None) -> Finding:
    """Find what the key's present status makes of a signature; a key that a list has lost is as good as a stolen one."""
    if now is not None and now.reason is not KeyReason.COMPROMISED:
        return Finding.GOOD if now.status is KeyStatus.ACTIVE else Finding.ENDED_AFTER
    since_us = now.compromised_since_us if now else None
    if leaf_index is None:
        return Finding.STOLEN_UNPROVEN
    if since_us is None:
        return Finding.STOLEN_SOMETIME
    if witnessed_us is None:
        return Finding.STOLEN_UNPROVEN
    return Finding.STOLEN_AFTER if witnessed_us < since_us else Finding.STOLEN_BEFORE
