"""Publications, key lists and possessions beyond the vectors: bounds, cost, and what the sealing side refuses to sign."""

import base64
import json
import time
from typing import Any

import pytest

from regcert.domain.key_list import KeyReason, KeyStatus
from regcert.domain.publication import Listed
from regcert.errors import Code, Refusal
from regcert.signing.dsse import KEY_LIST, MAX_PAYLOAD_BYTES, POSSESSION, PUBLICATION, pae, read_envelope, require_signed, seal
from regcert.signing.key_list import active_keys, read_key_list, require_successor
from regcert.signing.note import cosign, sign_note
from regcert.signing.possession import prove, require_possession
from regcert.signing.publication import MAX_OBJECTS, commitment, list_object, read_manifest, require_complete
from regcert.stix.canonical import canonical_bytes
from tests.signing.scene import (
    ADDRESS,
    DAY_US,
    INDICATOR,
    ISSUED_US,
    KEY,
    KEYS,
    OLD_KEY,
    OTHER_TEAM,
    ROOT,
    TEAM,
    a_key,
    an_id,
    key_list,
    key_named,
    manifest,
    manifest_around,
    payload_of,
    sealed,
    seeded,
)


def refused_by(call: Any, *args: Any, **named: Any) -> Code:
    with pytest.raises(Refusal) as refused:
        call(*args, **named)
    assert len(refused.value.message) < 400
    return refused.value.code


def many(count: int) -> list[Listed]:
    return [Listed(an_id("indicator", str(number)), "2026-11-01T10:00:00.000Z", seeded(str(number))) for number in range(count)]


# --- bounds, before anything is computed


def test_ten_thousand_objects_are_the_most() -> None:
    assert len(read_manifest(manifest(objects=many(MAX_OBJECTS)))[1].objects) == MAX_OBJECTS
    assert refused_by(manifest, objects=many(MAX_OBJECTS + 1)) is Code.INVALID_MANIFEST
    assert refused_by(manifest) is Code.INVALID_MANIFEST


@pytest.mark.parametrize("size", [MAX_PAYLOAD_BYTES + 1, MAX_PAYLOAD_BYTES + 3, 10 * MAX_PAYLOAD_BYTES])
def test_payload_beyond_its_bound_is_not_looked_at(size: int) -> None:
    """Ten megabytes cost what one does: the length is asked before the base64, and that before the JSON."""
    envelope = sealed(b"{}") | {"payload": base64.b64encode(b"[" * size).decode()}
    assert refused_by(read_envelope, envelope) is Code.BAD_SIGNATURE
    assert refused_by(read_manifest, manifest_around({}) | {"dsse": envelope}) is Code.INVALID_MANIFEST


@pytest.mark.parametrize(
    "payload",
    [b"[" * 1_000_000, b'{"a":' * 300_000, b'{"v":' + b"[" * 1_000_000, b'{"objects":[' + b'["",' * 300_000, b"9" * 2_000_000],
)
def test_payload_that_is_an_attack_is_refused_soon(payload: bytes) -> None:
    """Depth and digits, a million of them."""
    before = time.process_time()
    assert refused_by(read_manifest, manifest_around(payload)) is Code.INVALID_MANIFEST
    assert time.process_time() - before < 1


def test_reading_a_manifest_takes_time_in_proportion_to_its_size() -> None:
    """Ten times the objects is ten times the time, not a hundred times; 5,000 objects a second is far away."""

    def cost(count: int) -> float:
        made, listed = manifest(objects=many(count)), many(count)
        best = 1e9
        for _ in range(3):
            before = time.process_time()
            envelope, publication = read_manifest(made)
            require_signed(envelope, PUBLICATION, {KEY.public.key_id: KEY.public})
            require_complete(publication, listed)
            best = min(best, time.process_time() - before)
        return best

    small, large = cost(1_000), cost(10_000)
    assert large < 40 * small
    assert 10_000 / large > 5_000


def test_eight_signatures_are_the_most() -> None:
    keys = [key_named(str(number)) for number in range(9)]
    assert len(read_envelope(seal(PUBLICATION, b"{}", keys[:8]).as_json()).signatures) == 8
    assert refused_by(read_envelope, seal(PUBLICATION, b"{}", keys).as_json()) is Code.BAD_SIGNATURE


# --- every signature counts, for one purpose


def test_one_false_signature_beside_a_good_one_refuses_both() -> None:
    envelope = seal(PUBLICATION, b"{}", [KEY, OLD_KEY])
    keys = {key.public.key_id: key.public for key in (KEY, OLD_KEY)}
    assert require_signed(envelope, PUBLICATION, keys) in keys
    value = envelope.as_json()
    value["signatures"][1]["sig"] = value["signatures"][0]["sig"]  # type: ignore[index]
    assert refused_by(require_signed, read_envelope(value), PUBLICATION, keys) is Code.BAD_SIGNATURE
    assert refused_by(require_signed, envelope, PUBLICATION, dict([next(iter(keys.items()))])) is Code.UNKNOWN_KEY


def test_signature_for_one_purpose_is_none_for_another() -> None:
    """The type is signed with the payload (B7)."""
    envelope = seal(POSSESSION, b"{}", [KEY])
    assert refused_by(require_signed, envelope, PUBLICATION, {KEY.public.key_id: KEY.public}) is Code.BAD_SIGNATURE
    renamed = read_envelope(envelope.as_json() | {"payloadType": PUBLICATION})
    assert refused_by(require_signed, renamed, PUBLICATION, {KEY.public.key_id: KEY.public}) is Code.BAD_SIGNATURE


def test_signature_of_a_checkpoint_signs_no_publication() -> None:
    """Nor does a cosignature, whatever text a log shows: what is signed for DSSE begins otherwise (B7)."""
    message = pae(PUBLICATION, b"{}")
    note, line = sign_note("origin\n1\nroot\n", KEY, "origin"), cosign("origin\n1\nroot\n", KEY, "witness", 1)
    for signature in (note.signatures[0].value, line.value[8:], KEY.sign(message[len("DSSEv1 ") :])):
        assert not KEY.public.verify(signature, message)
    assert KEY.public.verify(KEY.sign(message), message)


@pytest.mark.parametrize("changes", [{"payloadType": "text/plain"}, {"payloadType": ""}, {"payload": ""}])
def test_envelope_of_nothing_that_is_signed_here_is_refused_before_its_payload_is_read(changes: dict[str, str]) -> None:
    assert refused_by(read_envelope, seal(PUBLICATION, b"{}", [KEY]).as_json() | changes) is Code.BAD_SIGNATURE


def test_no_two_pairs_of_type_and_payload_read_alike() -> None:
    """The example of the DSSE specification, and two pairs that would run together without their lengths."""
    assert pae("http://example.com/HelloWorld", b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("a", b"b c") != pae("a 3 b", b"c")
    assert pae("\u00e9", b"") == b"DSSEv1 2 \xc3\xa9 0 "


# --- what is signed


def test_version_is_the_text_that_stands_there() -> None:
    assert list_object(INDICATOR).version == INDICATOR["modified"]
    assert list_object({"id": "x", "created": "c"}).version == "c"
    assert list_object({"id": "x", "created": "c", "modified": ""}).version == "c"
    assert list_object(ADDRESS).version is None
    assert refused_by(list_object, {"type": "x"}) is Code.INVALID_STIX
    assert refused_by(list_object, {"id": "x", "name": "\ud800"}) is Code.UNSAFE_TEXT


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "a b"}, {"host": "\ud800"}, {"team": "x"}, {"collection": "\ud800"}, {"seq": 0}, {"seq": 2**53}, {"seq": 2**70},
        {"prev": None}, {"nonce": b"x"}, {"manifest_id": "x"}, {"markings": ["x"]}, {"declassifies": ["x"]},
        {"objects": [Listed("x", None, bytes(32))]}, {"objects": [list_object(ADDRESS), list_object(ADDRESS)]},
        {"objects": [Listed(ADDRESS["id"], None, b"")]}, {"objects": [Listed(ADDRESS["id"], "\ud800", bytes(32))]},
    ],
)  # fmt: skip
def test_nothing_is_signed_that_no_host_would_take(changes: dict[str, Any]) -> None:
    """Whatever a server told the client: it refuses with a sentence, and does not fall over."""
    assert refused_by(manifest, INDICATOR, **changes) is Code.INVALID_MANIFEST


def test_lists_of_a_publication_may_be_given_in_any_order() -> None:
    made = [manifest(*objects, markings=markings) for objects, markings in (
        ((INDICATOR, ADDRESS), [an_id("marking-definition", "a"), an_id("marking-definition", "b")]),
        ((ADDRESS, INDICATOR), [an_id("marking-definition", "b"), an_id("marking-definition", "a")]),
    )]  # fmt: skip
    assert made[0] == made[1]


def test_commitment_hides_and_binds() -> None:
    """Who has the object without the nonce finds no match; who has both does (C6)."""
    _, publication = read_manifest(manifest(ADDRESS))
    committed = commitment(publication.nonce, publication.digest)
    assert len(committed) == 32
    _, same_objects = read_manifest(manifest(ADDRESS, nonce=seeded("another nonce")))
    assert commitment(same_objects.nonce, same_objects.digest) != committed
    assert commitment(publication.nonce, same_objects.digest) != committed


def test_mismatch_is_counted_and_not_quoted() -> None:
    _, publication = read_manifest(manifest(INDICATOR, ADDRESS))
    changed = list_object(ADDRESS | {"value": "203.0.113.1"})
    with pytest.raises(
        Refusal, match="1 are listed and not there, 2 are there and not listed or twice, 1 are not what was signed"
    ):
        require_complete(publication, [changed, changed, *many(1)])


# --- key lists and possession


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"team": "\ud800"}, Code.INVALID_KEY_LIST), ({"version": 0}, Code.INVALID_KEY_LIST),
        ({"prev": b""}, Code.INVALID_KEY_LIST),
        ({"expires_us": ISSUED_US + 400 * DAY_US}, Code.INVALID_KEY_LIST), ({"keys": [*KEYS, KEYS[0]]}, Code.INVALID_KEY_LIST),
        ({"keys": [a_key("root")]}, Code.INVALID_KEY_LIST),
        ({"keys": [a_key("key", KeyStatus.REVOKED, KeyReason.NONE)]}, Code.INVALID_KEY_LIST),
        ({"old_root": key_named("old root"), "keys": [a_key(str(number)) for number in range(101)]}, Code.INVALID_KEY_LIST),
    ],
)  # fmt: skip
def test_no_key_list_is_signed_that_no_host_would_take(changes: dict[str, Any], code: Code) -> None:
    assert refused_by(key_list, **changes) is code


def test_active_keys_are_the_active_ones() -> None:
    listed = read_key_list(key_list())
    assert list(active_keys(listed)) == [KEY.public.key_id]
    assert active_keys(listed)[KEY.public.key_id] == KEY.public
    assert listed.find_key(OTHER_TEAM.public.key_id) is None


def test_largest_key_list_fits_into_a_leaf_of_the_log() -> None:
    """A hundred compromised keys, two roots: less than the 65,535 bytes of an entry."""
    keys = [a_key(str(number), KeyStatus.REVOKED, KeyReason.COMPROMISED, ISSUED_US - 2 * DAY_US) for number in range(100)]
    envelope = key_list(keys=keys, old_root=key_named("old root"))
    assert len(json.dumps(envelope.as_json())) < 40_000


def test_list_is_believed_only_when_its_own_root_signed_it() -> None:
    """Also before anybody asks what it follows."""
    payload = key_list().payload
    for keys in ([OTHER_TEAM], [KEY, OTHER_TEAM]):
        assert refused_by(read_key_list, seal(KEY_LIST, payload, keys)) is Code.BAD_SIGNATURE
    assert refused_by(read_key_list, seal(PUBLICATION, payload, [ROOT])) is Code.INVALID_KEY_LIST


def test_small_payloads_have_small_bounds() -> None:
    """Two megabytes are for publications; a list or a proof that is so long is not parsed."""
    digits = b"9" * MAX_PAYLOAD_BYTES
    with pytest.raises(Refusal, match="more than 32768 bytes"):
        read_key_list(seal(KEY_LIST, digits, [ROOT]))
    with pytest.raises(Refusal, match="more than 1024 bytes"):
        require_possession(seal(POSSESSION, digits, [KEY]), host="a", team=TEAM, challenge=bytes(32), public=KEY.public)


def test_first_list_has_no_second_root() -> None:
    envelope = key_list(old_root=key_named("old root"))
    assert refused_by(require_successor, None, envelope, read_key_list(envelope)) is Code.BAD_SIGNATURE


@pytest.mark.parametrize(
    "asked", [("a b", TEAM, bytes(32)), ("a", "x", bytes(32)), ("a", TEAM, bytes(31)), ("\ud800", TEAM, bytes(32))]
)
def test_key_signs_no_challenge_that_is_none(asked: tuple[str, str, bytes]) -> None:
    """A host cannot make a team sign whatever it likes and call it a challenge."""
    host, team, challenge = asked
    assert refused_by(prove, host, team, challenge, ROOT) is Code.POSSESSION_NOT_PROVEN


def test_payload_is_canonical_by_the_slow_writer_too() -> None:
    """The fast writer of payloads is a shortcut for ASCII; what it writes is what RFC 8785 says."""
    for payload in (
        payload_of(manifest(INDICATOR, ADDRESS)["dsse"]),
        key_list().payload,
        prove("a", TEAM, bytes(32), KEY).payload,
    ):
        assert canonical_bytes(json.loads(payload)) == payload
