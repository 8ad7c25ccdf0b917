"""Take a team's key list: its first, a changed one, or one that ends a key."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from regcert.clock import Clock
from regcert.domain.key_list import KeyList
from regcert.domain.principal import Principal
from regcert.domain.proposal import ProposalKind
from regcert.errors import Code, Refusal
from regcert.flows.challenge_key import read_terms, require_own_keys
from regcert.flows.enter_key_list import InForce, enter_key_list, keys_of, require_next
from regcert.signing.dsse import Envelope, read_envelope
from regcert.signing.key_list import read_key_list
from regcert.signing.possession import require_possession
from regcert.signing.public_key import read_public_key
from regcert.store.audit import add_audit
from regcert.store.database import Database
from regcert.store.keys import take_challenge
from regcert.store.programs import Program
from regcert.store.proposals import open_proposal

MOST_POSSESSIONS = 128
_OUTAGES = frozenset({Code.BUSY})


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings, as JSON values that nobody has looked at.

    Args:
        key_list: the DSSE envelope of the list.
        challenge: what they were given to sign; None where the list brings no new key.
        possessions: a DSSE envelope for each new key, and for the root where that is new.
    """

    key_list: object
    challenge: bytes | None
    possessions: Sequence[object]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A key list that waits for coordinators of other teams.

    Args:
        version: of the list.
        proposal_id: what they approve.
        needs: how many of them.
    """

    version: int
    proposal_id: str
    needs: int


async def enrol_keys(database: Database, clock: Clock, principal: Principal, slug: str, brought: Brought) -> InForce | Waiting:
    """Take a key list for the principal's own team.

    1. Read the list, and check its own root's signature, in a thread: it is computation.
    2. Look who has proven to hold which key, over the challenge that this token was given.
    3. In one transaction: take the challenge back, look whether the list can follow the newest and whether every key that it
       brings is proven; then put it in force, or open a proposal. What is refused is noted in the audit.

    A list that the standing root signed is in force at once: the root is the team, and nobody else may have a say in which keys
    a team ends. The first list, and one that changes the root, wait for other teams' coordinators, who have spoken to the team.

    Args:
        database: where to.
        clock: what time it is.
        principal: of the team, coordinator or admin.
        slug: the team.
        brought: the list and what proves its keys.

    Raises:
        Refusal: FORBIDDEN; INVALID_KEY_LIST, UNSAFE_KEY, BAD_SIGNATURE, WRONG_BINDING, KEY_LIST_CONFLICT, POSSESSION_NOT_PROVEN.
    """
    require_own_keys(principal, slug)
    host, needs = await read_terms(database)
    now_us = clock.now_us()
    try:
        envelope, key_list, proven = await asyncio.to_thread(_look_into, host, principal, brought)  # 1, 2
        program = _take(principal, brought.challenge, envelope, key_list, proven, needs=needs, now_us=now_us)
        return await database.apply(lambda _: program)  # 3
    except Refusal as refusal:
        if refusal.code not in _OUTAGES:
            # Somebody who holds a token of the team tried; the others of the team want to know it.
            subject = f"{slug} {refusal.code.value}"
            await database.write(lambda tx: add_audit(tx, principal, now_us, "refuse-key-list", subject))
        raise


def _take(
    principal: Principal,
    challenge: bytes | None,
    envelope: Envelope,
    key_list: KeyList,
    proven: frozenset[bytes],
    *,
    needs: int,
    now_us: int,
) -> Program[InForce | Waiting]:
    """Put a list in force or propose it, where it can follow and every key that it brings is proven."""
    before = yield from require_next(principal.team, envelope, key_list, now_us)
    new = keys_of(key_list) - (keys_of(before) if before else frozenset())
    if not new <= proven:
        raise Refusal(Code.POSSESSION_NOT_PROVEN, "a key or root is new and not proven; sign a challenge with each of them")
    if new and not (yield from take_challenge(challenge or b"", principal.token_id, now_us)):
        raise Refusal(
            Code.POSSESSION_NOT_PROVEN, "the challenge was not given to this token, was used or is too old; ask for a new one"
        )
    if needs == 0 or (before is not None and before.root == key_list.root):
        return (yield from enter_key_list(principal, principal.team, envelope, now_us))
    return (yield from _propose(principal, envelope, key_list, needs, now_us))


def _look_into(host: str, principal: Principal, brought: Brought) -> tuple[Envelope, KeyList, frozenset[bytes]]:
    """Read a list, and which of its keys somebody has proven to hold."""
    envelope = read_envelope(brought.key_list, Code.INVALID_KEY_LIST)
    key_list = read_key_list(envelope)
    if len(brought.possessions) > MOST_POSSESSIONS:
        raise Refusal(Code.TOO_LARGE, f"at most {MOST_POSSESSIONS} proofs of possession come with a key list")
    named = {key.key_id: key for key in map(read_public_key, keys_of(key_list))}
    proven = set()
    for value in brought.possessions:
        possession = read_envelope(value, Code.POSSESSION_NOT_PROVEN)
        key = next((named[key_id] for key_id, _ in possession.signatures if key_id in named), None)
        if key is None or brought.challenge is None:
            raise Refusal(
                Code.POSSESSION_NOT_PROVEN, "a proof is of a key that the list does not name, or comes without its challenge"
            )
        team = principal.team.identity_id
        require_possession(possession, host=host, team=team, challenge=brought.challenge, public=key)
        proven.add(key.raw)
    return envelope, key_list, frozenset(proven)


def _propose(principal: Principal, envelope: Envelope, key_list: KeyList, needs: int, now_us: int) -> Program[Waiting]:
    """Keep a list until coordinators of other teams have agreed; what its root signed is what they agree to."""
    body = orjson.dumps(envelope.as_json())
    root = read_public_key(key_list.root).key_id
    reason = f"key list {key_list.version} of {principal.team.slug}, whose root key has the fingerprint {root}"
    proposal_id = yield from open_proposal(principal, ProposalKind.KEY_LIST, needs=needs, reason=reason, body=body, now_us=now_us)
    return Waiting(key_list.version, proposal_id, needs)
