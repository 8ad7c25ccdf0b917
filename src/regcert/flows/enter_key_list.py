"""Put a key list in force: the list, its leaf in the log and the audit in one transaction, or nothing of it."""

from dataclasses import dataclass

import orjson

from regcert.clock import SECOND_US
from regcert.domain.key_list import KeyList
from regcert.domain.principal import Principal
from regcert.domain.team import Team
from regcert.errors import Code, Refusal
from regcert.signing.dsse import Envelope, read_envelope
from regcert.signing.key_list import read_key_list, require_successor
from regcert.store.audit import note_deed
from regcert.store.keys import add_key_list, get_team, list_newest, touch_rights
from regcert.store.log import append_leaf
from regcert.store.programs import Program
from regcert.translog.leaf import KeyLeaf

_SKEW_US = 600 * SECOND_US


@dataclass(frozen=True, slots=True)
class InForce:
    """A key list that is in force.

    Args:
        version: from 1.
        digest: SHA-256 of what was signed.
        leaf_index: its place in the log; it decides from when on its keys are what it says they are.
    """

    version: int
    digest: bytes
    leaf_index: int


def require_next(team: Team, envelope: Envelope, key_list: KeyList, now_us: int) -> Program[KeyList | None]:
    """Refuse a key list that cannot follow the one in force, as things stand in this transaction.

    Args:
        team: whose it must be.
        envelope: with its signatures.
        key_list: what `read_key_list` read from it.
        now_us: the present.

    Returns:
        The list that it follows, or None where it is the first.

    Raises:
        Refusal: WRONG_BINDING, INVALID_KEY_LIST, KEY_LIST_CONFLICT, BAD_SIGNATURE; UNSAFE_KEY for a key of another team.
    """
    if key_list.team != team.identity_id:
        raise Refusal(Code.WRONG_BINDING, "the key list is made for another team than the one it is sent for")
    if key_list.issued_us > now_us + _SKEW_US:
        raise Refusal(Code.INVALID_KEY_LIST, "the key list is issued in the future; set your clock and sign it again")
    if key_list.expires_us <= now_us:
        raise Refusal(Code.INVALID_KEY_LIST, "the key list has expired already; sign it again")
    newest = yield from list_newest()
    before = newest.pop(team.team_id, None)
    require_successor(before, envelope, key_list)
    # Who signs must be one team and no other, whichever list a reader looks the key up in.
    if keys_of(key_list) & {key for other in newest.values() for key in keys_of(other)}:
        raise Refusal(Code.UNSAFE_KEY, "one of the keys belongs to another team already; make a new one")
    return before


def keys_of(key_list: KeyList) -> frozenset[bytes]:
    """Return the public keys that a list names, its root among them."""
    return frozenset({key_list.root, *(key.public for key in key_list.keys)})


def enter_key_list(principal: Principal | None, team: Team, envelope: Envelope, now_us: int) -> Program[InForce]:
    """Put a key list in force.

    1. Say that rights change: every process forgets the keys it remembers, and the order lock is held to the commit.
    2. Look once more whether it is the successor of the newest: another may have been entered since it was proposed.
    3. Enter it in the log, among the lists, and in the audit.

    Args:
        principal: who caused it, or None for the host's own operator.
        team: whose list it is.
        envelope: as it was signed; possession of its keys has been proven.
        now_us: the present.

    Raises:
        Refusal: as `require_next`.
    """
    yield from touch_rights()  # 1
    key_list = read_key_list(envelope)
    yield from require_next(team, envelope, key_list, now_us)  # 2
    leaf_index = yield from append_leaf(KeyLeaf(envelope.as_json()).write())  # 3
    yield from add_key_list(team.team_id, key_list, orjson.dumps(envelope.as_json()), leaf_index, now_us)
    yield from note_deed(principal, now_us, "key-list", f"{team.slug} {key_list.version} {key_list.digest.hex()}")
    return InForce(key_list.version, key_list.digest, leaf_index)


def enter_proposed(approver: Principal, team_id: int, body: bytes, now_us: int) -> Program[InForce]:
    """Put a key list in force that waited for others, in the transaction of the last approval.

    Args:
        approver: who agreed last.
        team_id: whose list it is.
        body: what `enrol_keys` left in the proposal.
        now_us: the present.

    Raises:
        Refusal: as `require_next`: another list was entered meanwhile, or this one has expired.
    """
    team = yield from get_team(team_id)
    return (yield from enter_key_list(approver, team, read_envelope(orjson.loads(body)), now_us))
