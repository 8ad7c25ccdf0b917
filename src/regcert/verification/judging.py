"""Every object of a set gets its verdict, by what teams have signed and where that stands in the log.

Spec: docs/signing.md §8
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from regcert.domain.publication import MANIFEST_TYPE, Listed
from regcert.errors import Refusal
from regcert.signing.verdict import Facts, Finding, Listing, Placed, Verdict, best, find_key_row, judge
from regcert.stix.reader import ReadObject
from regcert.verification.key_histories import History, choose_lists
from regcert.verification.roots import Trust
from regcert.verification.statements import NOWHERE, Chains, Statement, read_chains, read_statement

_MOST_ID = 300
_MOST_VERSION = 64


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One object, and what to think of it.

    Args:
        stix_id: its id; empty where it could not be read.
        version: its version, or None.
        finding: the verdict with its reason.
        why: what could not be read; empty otherwise.
        key_id: the key by which it was judged; empty where no publication lists it.
        team: who signed with it; empty likewise.
        digest: of its canonical form; empty where it could not be read.
    """

    stix_id: str
    version: str | None
    finding: Finding
    digest: bytes = b""
    why: str = ""
    key_id: str = ""
    team: str = ""

    @property
    def is_good(self) -> bool:
        """Whether its team signed for it, while it might."""
        return self.finding.verdict in {Verdict.VALID, Verdict.VALID_RETIRED}


@dataclass(slots=True)
class Gathered:
    """All that stands in a set of objects, without their content.

    Args:
        held: each object once for each content that it has.
        statements: each manifest that could be read, by what it says and who signed it.
        unsound: manifests that could not, each with the reason.
        unreadable: why other things could not be read.
    """

    held: dict[Listed, None] = field(default_factory=dict)
    statements: dict[tuple[bytes, str, bytes], Statement] = field(default_factory=dict)
    unsound: dict[Listed, Refusal] = field(default_factory=dict)
    unreadable: list[Refusal] = field(default_factory=list)

    def take(self, read: ReadObject | Refusal) -> None:
        """Take the next object."""
        if isinstance(read, Refusal):
            self.unreadable.append(read)
            return
        listed = list_read(read)
        if read.value.get("type") != MANIFEST_TYPE:
            self.held[listed] = None
            return
        try:
            statement = read_statement(read, listed)
        except Refusal as refusal:
            self.unsound[listed] = refusal
        else:
            key_id, signature = statement.envelope.signatures[0]
            self.statements[statement.publication.digest, key_id, signature] = statement


def gather(objects: Iterable[ReadObject | Refusal]) -> Gathered:
    """Take all objects of a set."""
    gathered = Gathered()
    for read in objects:
        gathered.take(read)
    return gathered


def list_read(read: ReadObject) -> Listed:
    """List an object that was read, as a manifest would; a text that no manifest can have is cut."""
    stix_id = read.value.get("id")
    times = (read.value.get(name) for name in ("modified", "created"))
    version = next((time for time in times if isinstance(time, str) and time), None)
    cut = version if version is None or len(version) <= _MOST_VERSION else version[:_MOST_VERSION] + "…"
    return Listed(stix_id[:_MOST_ID] if isinstance(stix_id, str) else "", cut, read.digest)


@dataclass(frozen=True, slots=True)
class View:
    """What the reader knows besides the objects.

    Args:
        trust: what he believes.
        histories: the key lists of the log.
        placed: where publications stand, by the hash of their payload and the key that signed; what is not in here has no
            proven place.
        now_us: the present, by his own clock.
        host: the origin of the log that all this is from; None where any log of the policy may be.
        collection: the collection that the objects were read from; None where that is not known.
        stale: the view is old.
        forked: the log has told two stories.
    """

    trust: Trust
    histories: Mapping[str, History]
    placed: Mapping[tuple[bytes, str], Placed]
    now_us: int
    host: str | None = None
    collection: str | None = None
    stale: bool = False
    forked: bool = False


@dataclass(frozen=True, slots=True)
class _Word:
    """What one statement makes of an object that it lists: with its hash, or with another one."""

    listed: Finding
    changed: Finding
    key_id: str
    team: str


def judge_all(gathered: Gathered, view: View) -> Iterator[Judged]:
    """Judge every object of a set; the manifests come first."""
    statements = list(gathered.statements.values())
    _, chains = find_chains(statements, view)
    words = [_hear(one, view, forked=one.chain in chains.forked) for one in statements]
    saying: dict[tuple[str, str], list[tuple[bytes, _Word]]] = {}
    for one, word in zip(statements, words, strict=True):
        yield Judged(one.listed.stix_id, one.listed.version, word.listed, one.listed.digest, key_id=word.key_id, team=word.team)
        for listed in one.publication.objects:
            saying.setdefault(listed.place, []).append((listed.digest, word))
    for listed, refusal in gathered.unsound.items():
        yield Judged(listed.stix_id, listed.version, Finding.UNSOUND, listed.digest, str(refusal))
    for refusal in gathered.unreadable:
        yield Judged("", None, Finding.UNSOUND, why=str(refusal))
    for listed in gathered.held:
        yield _judge(listed, saying.get(listed.place, ()), view)


def find_chains(statements: Iterable[Statement], view: View) -> tuple[list[Statement], Chains]:
    """Find the statements that count, and what their numbers tell.

    These are for this place, and their signatures are good by a key of a team with a pinned root, which the team had alone as
    far as it says: a thief of a key that was revoked since can neither contradict the team nor make anything seem withheld.
    """
    counted: list[Statement] = []
    disowned: list[Statement] = []
    for one in statements:
        history = choose_lists(view.histories, view.trust.roots, one.publication.team)
        if history and is_here(one, view) and one.is_signed(view.histories):
            finding = find_key_row(history, one.key_id, view.placed.get(one.signed_as, NOWHERE), view.now_us)
            (disowned if finding.verdict is Verdict.INVALID else counted).append(one)
    return counted, read_chains(counted, disowned)


def is_here(one: Statement, view: View) -> bool:
    """Tell whether a publication was made for a log that is believed, and for this collection."""
    publication = one.publication
    known = any(publication.host == log.name for log in view.trust.policy.logs) and view.host in {None, publication.host}
    return known and view.collection in {None, publication.collection}


def _hear(one: Statement, view: View, *, forked: bool) -> _Word:
    def find(listing: Listing) -> Finding:
        return judge(
            Facts(
                listing=listing,
                sound=is_here(one, view),
                signed=signed,
                key_id=one.key_id,
                history=choose_lists(view.histories, view.trust.roots, one.publication.team),
                placed=view.placed.get(one.signed_as, NOWHERE),
                now_us=view.now_us,
                stale=view.stale,
                forked=forked or view.forked,
            )
        )

    signed = one.is_signed(view.histories)
    return _Word(find(Listing.LISTED), find(Listing.OTHER_HASH), one.key_id, one.publication.team)


def _judge(listed: Listed, said: Sequence[tuple[bytes, _Word]], view: View) -> Judged:
    findings = [(word.listed if digest == listed.digest else word.changed, word) for digest, word in said]
    if not findings:
        return Judged(listed.stix_id, listed.version, Finding.FORKED if view.forked else Finding.UNLISTED, listed.digest)
    chosen = best(finding for finding, _ in findings)
    word = next(word for finding, word in findings if finding is chosen)
    return Judged(listed.stix_id, listed.version, chosen, listed.digest, key_id=word.key_id, team=word.team)
