"""A team's key lists, fetched from a host that is not believed: what comes back is the chain that the root key signed."""

from collections.abc import Sequence
from dataclasses import dataclass

from regcert.domain.key_list import KeyList
from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert, unreadable
from regcert.outbound.api import ask_api
from regcert.signing.dsse import Envelope, read_envelope
from regcert.signing.key_list import read_key_list, require_successor

MOST_PAGES = 100
_MOST_INDEX = 2**53


@dataclass(frozen=True, slots=True)
class SignedList:
    """One version of a key list as its root signed it.

    Args:
        envelope: what was signed, and by whom.
        key_list: what it says.
        leaf_index: where the host says that it stands in the log; believed only with a proof.
    """

    envelope: Envelope
    key_list: KeyList
    leaf_index: int


@dataclass(frozen=True, slots=True)
class Chain:
    """All versions of a team's key list, each signed as the successor of the one before.

    Args:
        team: the team's identity, as the host says.
        host: the origin of the host's log.
        suspended: whether the operator has stopped the team's publishing.
        lists: from version 1 on.
    """

    team: str
    host: str
    suspended: bool
    lists: tuple[SignedList, ...]

    @property
    def newest(self) -> KeyList | None:
        """The list in force, or None where the team has none."""
        return self.lists[-1].key_list if self.lists else None


async def fetch_key_lists(server: str, token: str, team: str) -> Chain:
    """Fetch all versions of a team's key list, and follow them from the first to the newest.

    Whether the root is the team's is not decided here: who calls this compares it with one that came another way.

    Args:
        server: the host's address.
        token: of any member.
        team: its short name.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, NOT_FOUND, BUSY, REFUSED_BY_SERVER; INVALID_KEY_LIST, KEY_LIST_CONFLICT or
            BAD_SIGNATURE where the lists do not follow each other.
    """
    lists: list[SignedList] = []
    path = f"/api/v1/teams/{team}/keys"
    for _ in range(MOST_PAGES):  # a host that never comes to an end must not keep us for ever
        after = lists[-1].key_list.version if lists else 0
        answer = await ask_api(server, token, "GET", path, after=str(after))
        page = answer.get("key_lists")
        if not isinstance(page, list):
            raise unreadable()
        lists += _follow(lists[-1].key_list if lists else None, page)
        if answer.get("next") is None or not page:
            team_id, host = inert(answer.get("team")), inert(answer.get("host"))
            if any(one.key_list.team != team_id for one in lists):
                raise Refusal(Code.INVALID_KEY_LIST, "the host answers with the key list of another team; tell its operator")
            return Chain(team_id, host, answer.get("suspended") is True, tuple(lists))
    raise unreadable()


async def fetch_challenge(server: str, token: str, team: str) -> bytes:
    """Fetch what has to be signed to prove that a new key is held, 32 bytes.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    answer = await ask_api(server, token, "POST", f"/api/v1/teams/{team}/keys/challenge")
    said = answer.get("challenge")
    try:
        challenge = bytes.fromhex(said) if isinstance(said, str) else b""
    except ValueError as error:
        raise unreadable() from error
    if len(challenge) != 32:
        raise unreadable()
    return challenge


@dataclass(frozen=True, slots=True)
class Taken:
    """What a host did with a key list.

    Args:
        version: of the list.
        leaf_index: its place in the log, where it is in force.
        proposal: what other teams have to approve, where it is not.
        needs: how many of them.
    """

    version: int
    leaf_index: int | None
    proposal: str | None
    needs: int


async def post_key_list(
    server: str, token: str, team: str, envelope: Envelope, challenge: bytes | None, possessions: Sequence[Envelope]
) -> Taken:
    """Send a key list with what proves its new keys.

    Raises:
        Refusal: UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER.
    """
    body: dict[str, object] = {"key_list": envelope.as_json()}
    if challenge is not None:
        body |= {"challenge": challenge.hex(), "possessions": [one.as_json() for one in possessions]}
    answer = await ask_api(server, token, "POST", f"/api/v1/teams/{team}/keys", body=body)
    version = _number(answer.get("version"))
    if answer.get("state") == "in-force":
        return Taken(version, _number(answer.get("leaf_index")), None, 0)
    proposal = inert(answer.get("proposal"), 64)
    if answer.get("state") != "waiting" or not proposal:
        raise unreadable()
    return Taken(version, None, proposal, _number(answer.get("needs")))


def _follow(before: KeyList | None, page: Sequence[object]) -> list[SignedList]:
    followed: list[SignedList] = []
    for one in page:
        if not isinstance(one, dict):
            raise unreadable()
        envelope = read_envelope(one.get("envelope"), Code.INVALID_KEY_LIST)
        key_list = read_key_list(envelope)
        require_successor(before, envelope, key_list)
        followed.append(SignedList(envelope, key_list, _number(one.get("leaf_index"))))
        before = key_list
    return followed


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_INDEX:
        raise unreadable()
    return value
