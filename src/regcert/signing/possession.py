"""Proof that somebody holds a key: it signs what this host made up for this team a moment ago.

Without it a team could list another's public key, and what the other signs would look like its own.
"""

import msgspec

from regcert.errors import Code, Refusal
from regcert.signing.dsse import POSSESSION, Envelope, pae, seal
from regcert.signing.payload import (
    NotExactError,
    read_hash,
    read_members,
    refusal_of,
    require_host,
    require_id,
    require_same,
    write_payload,
)
from regcert.signing.private_key import PrivateKey
from regcert.signing.public_key import PublicKey

_MAX_BYTES = 1024


class _Members(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    host: str
    team: str
    challenge: str
    key: str


def prove(host: str, team: str, challenge: bytes, key: PrivateKey) -> Envelope:
    """Sign a challenge.

    Args:
        host: origin of the log of the host that gave it.
        team: STIX identity of the team that it was given to.
        challenge: its 32 bytes.
        key: the key to prove.

    Raises:
        Refusal: POSSESSION_NOT_PROVEN where host, team or challenge are none, so that nothing else is signed for a stranger.
    """
    try:
        payload = _write(host, team, challenge, key.public.raw)
        _read(payload)
    except NotExactError as why:
        raise refusal_of(Code.POSSESSION_NOT_PROVEN, "challenge", why) from why
    return seal(POSSESSION, payload, [key])


def require_possession(envelope: Envelope, *, host: str, team: str, challenge: bytes, public: PublicKey) -> None:
    """Require that the holder of a key signed the challenge that this team was given here.

    Args:
        envelope: as `read_envelope` read it.
        host: origin of this host's log.
        team: STIX identity of the team.
        challenge: 32 bytes; that it is the team's own, young and not used is asked elsewhere.
        public: the key to be proven, from `read_public_key`.

    Raises:
        Refusal: POSSESSION_NOT_PROVEN.
    """
    if envelope.payload_type != POSSESSION or len(envelope.signatures) != 1:
        raise Refusal(Code.POSSESSION_NOT_PROVEN, "a proof of possession is signed as one, by the one key that it proves")
    try:
        read = _read(envelope.payload)
    except NotExactError as why:
        raise refusal_of(Code.POSSESSION_NOT_PROVEN, "proof of possession", why) from why
    if read != (host, team, challenge, public.raw):
        raise Refusal(Code.POSSESSION_NOT_PROVEN, "the proof is for another host, team, challenge or key; prove this one")
    key_id, signature = envelope.signatures[0]
    if key_id != public.key_id or not public.verify(signature, pae(POSSESSION, envelope.payload)):
        raise Refusal(Code.POSSESSION_NOT_PROVEN, "the proof is not signed by the key that it is to prove")


def _write(host: str, team: str, challenge: bytes, public: bytes) -> bytes:
    return write_payload({"v": 1, "host": host, "team": team, "challenge": challenge.hex(), "key": public.hex()})


def _read(payload: bytes) -> tuple[str, str, bytes, bytes]:
    members = read_members(payload, _MAX_BYTES, _Members)
    require_host(members.host)
    require_id(members.team, "identity")
    read = (members.host, members.team, read_hash(members.challenge), read_hash(members.key))
    require_same(payload, _write(*read))
    return read
