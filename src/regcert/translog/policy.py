"""The reader's own policy: which logs and witnesses he believes, and how many of them it takes.

The quorum is a tree of thresholds. Its time is the smallest one by which enough witnesses had cosigned, which for `k` of `n`
witnesses is the k-th smallest of their times. Each witness tells the time by its own clock: where fewer than `k` of them lie,
one honest witness had seen the leaf by then.

Spec: C2SP tlog-policy
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from regcert.domain.verifier_key import NoteKeyKind, VerifierKey, read_verifier_key
from regcert.errors import Code, Refusal

MOST_POLICY_BYTES = 65_536
MOST_OF_A_KIND = 64
NONE = "none"
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """Members of whom enough must have cosigned.

    Args:
        threshold: how many, 1 up to their number.
        members: names of witnesses and groups.
    """

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a reader believes.

    Args:
        logs: keys of the logs; the name of each is its origin. May be empty where the log is known otherwise.
        witnesses: keys by the names that stand in the policy, which mean nothing outside it.
        groups: by name; each refers to what was defined before it.
        quorum: the name of a witness or group, or `none`.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str

    def is_satisfied(self, times_s: Mapping[str, int]) -> bool:
        """Tell whether the witnesses that cosigned are a quorum.

        Args:
            times_s: when each cosigned one and the same checkpoint, by its name in this policy, seconds since 1970.
        """
        return self.quorum == NONE or self.find_trusted_time_s(times_s) is not None

    def find_trusted_time_s(self, times_s: Mapping[str, int]) -> int | None:
        """Find the time by which a quorum had seen a checkpoint, or None where none has, or none is asked for.

        Args:
            times_s: as above; names that the policy does not know count for nothing.
        """
        at = self._quorum_time(times_s)
        return int(at) if math.isfinite(at) else None

    def find_fresh_time_s(self, times_s: Mapping[str, int]) -> int | None:
        """Find the time until which a quorum had seen nothing newer than a checkpoint, or None likewise.

        Args:
            times_s: when each last cosigned it.
        """
        # The same, with time running backwards.
        at = self._quorum_time({name: -time_s for name, time_s in times_s.items()})
        return -int(at) if math.isfinite(at) else None

    def _quorum_time(self, times: Mapping[str, int]) -> float:
        if self.quorum == NONE:
            return math.inf
        found: dict[str, float] = {name: times.get(name, math.inf) for name in self.witnesses}
        for name, group in self.groups.items():
            found[name] = sorted(found[member] for member in group.members)[group.threshold - 1]
        return found[self.quorum]


def read_policy(data: bytes) -> Policy:
    """Read a policy file.

    Names are octets: what is not UTF-8 in them is kept apart, not replaced.

    Args:
        data: at most 64 KiB; 64 logs, witnesses and groups each.

    Raises:
        Refusal: INVALID_POLICY, with the number of the line.
    """
    if len(data) > MOST_POLICY_BYTES:
        raise Refusal(Code.INVALID_POLICY, f"a policy file has at most {MOST_POLICY_BYTES} bytes; this is something else")
    reader = _PolicyReader()
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            if _FORBIDDEN.search(line):
                raise _wrong("has a control character, perhaps line ends of another system")
            words = line.decode("utf-8", "surrogateescape").replace("\t", " ").split(" ")
            reader.take([word for word in words if word])
        except Refusal as refusal:
            raise Refusal(Code.INVALID_POLICY, f"line {number} of the policy {refusal.message}") from refusal
    return reader.policy()


class _PolicyReader:
    """Takes the lines of a policy one by one; each refers only to lines before it, so nothing can go in a circle."""

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, VerifierKey] = {}
        self._groups: dict[str, Group] = {}
        self._quorum: str | None = None
        self._members: set[str] = set()

    def take(self, words: list[str]) -> None:
        """Take one line, split at its blanks."""
        if not words or words[0].startswith("#"):
            return
        match words:
            case ["log", key] | ["log", key, _]:  # addresses are for those who write; nobody here connects by a policy
                self._take_log(key)
            case ["witness", name, key] | ["witness", name, key, _]:
                self._take_witness(name, key)
            case ["group", name, threshold, *members] if members:
                self._take_group(name, threshold, members)
            case ["quorum", name]:
                self._take_quorum(name)
            case _:
                raise _wrong("is none of: log KEY, witness NAME KEY, group NAME K MEMBER…, quorum NAME")

    def policy(self) -> Policy:
        """Return what was read.

        Raises:
            Refusal: INVALID_POLICY where no quorum was named.
        """
        if self._quorum is None:
            raise Refusal(Code.INVALID_POLICY, "the policy has no quorum line; write 'quorum none' if no witness is needed")
        return Policy(tuple(self._logs), self._witnesses, self._groups, self._quorum)

    def _take_log(self, text: str) -> None:
        key = _key(text, NoteKeyKind.ED25519)
        if any(key.public == other.public for other in self._logs) or len(self._logs) >= MOST_OF_A_KIND:
            raise _wrong(f"names a log key that stood before, or more than {MOST_OF_A_KIND}")
        self._logs.append(key)

    def _take_witness(self, name: str, text: str) -> None:
        key = _key(text, NoteKeyKind.COSIGNATURE)
        # By the key itself: one witness under two names would be two votes.
        if any(key.public == other.public for other in self._witnesses.values()):
            raise _wrong("names a witness key that stood before")
        self._define(name, len(self._witnesses))
        self._witnesses[name] = key

    def _take_group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            if member not in self._witnesses and member not in self._groups:
                raise _wrong("has a member that no line before it defines")
            if member in self._members:  # also in another group: each witness counts once
                raise _wrong("has a member that is already a member of a group")
            self._members.add(member)
        known = {"any": 1, "all": len(members)}
        needed = known.get(threshold) or (int(threshold) if _THRESHOLD.fullmatch(threshold) else 0)
        if not 1 <= needed <= len(members):
            raise _wrong("asks for none of its members, or for more than it has; write any, all or a number")
        self._define(name, len(self._groups))
        self._groups[name] = Group(needed, tuple(members))

    def _take_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise _wrong("is a second quorum")
        if name != NONE and name not in self._witnesses and name not in self._groups:
            raise _wrong("names a quorum that no line before it defines")
        self._quorum = name

    def _define(self, name: str, count: int) -> None:
        if name == NONE or name in self._witnesses or name in self._groups:
            raise _wrong("uses a name that is taken")
        if count >= MOST_OF_A_KIND:
            raise _wrong(f"is more than {MOST_OF_A_KIND} of its kind")


def _key(text: str, kind: NoteKeyKind) -> VerifierKey:
    try:
        key = read_verifier_key(text)
    except Refusal as refusal:
        raise _wrong("has no verifier key such as name+0123abcd+base64, of Ed25519") from refusal
    if key.kind is not kind:
        raise _wrong("has a key of the wrong type: logs have type 1, witnesses type 4")
    return key


def _wrong(what: str) -> Refusal:
    return Refusal(Code.INVALID_POLICY, what)
