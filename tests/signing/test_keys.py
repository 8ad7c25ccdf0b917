"""Keys: which ones are refused and why it matters, what a signature must be, and what a file of a private key may hold."""

import pickle

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.signing.host_key import new_host_key
from regcert.signing.private_key import PrivateKey, new_private_key, private_key_of, read_private_key
from regcert.signing.public_key import SMALL_ORDER, PublicKey, read_public_key
from tests.signing.curve import BASE, encode, small_order_encodings

KEY = private_key_of(bytes(range(32)))
MESSAGES = [f"message {number}".encode() for number in range(200)]


def library_takes(raw: bytes, signature: bytes, message: bytes) -> bool:
    """Ask the bare library, as a verifier would that has not heard of small order."""
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_list_of_small_order_is_what_the_curve_says() -> None:
    """Computed from the curve equation, with every lenient spelling; nobody has to believe a list."""
    assert small_order_encodings() == SMALL_ORDER
    assert len(SMALL_ORDER) == 14


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER), ids=lambda raw: f"{raw[:4].hex()}{raw[-1:].hex()}")
def test_key_of_small_order_is_refused_because_one_signature_fits_all(raw: bytes) -> None:
    """One constant signature passes the bare library for every message, or for many; here for none, and the key is refused."""
    constant = encode(BASE) + (1).to_bytes(32, "little")
    taken = sum(library_takes(raw, constant, message) for message in MESSAGES)
    identity = int.from_bytes(raw, "little") % 2**255 in {1, 2**255 - 19 + 1}
    assert taken == len(MESSAGES) if identity else 10 < taken < 150
    assert not any(PublicKey(raw).verify(constant, message) for message in MESSAGES)
    with pytest.raises(Refusal, match="anybody can sign") as refused:
        read_public_key(raw)
    assert refused.value.code is Code.UNSAFE_KEY


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=70), st.binary(max_size=130), st.binary(max_size=10))
def test_verification_never_raises(raw: bytes, signature: bytes, message: bytes) -> None:
    """Whatever bytes come as key and signature, the answer is no."""
    assert PublicKey(raw).verify(signature, message) is False
    assert KEY.public.verify(signature, message) is False


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.integers(0, 511))
def test_signature_is_good_until_a_bit_changes(seed: bytes, message: bytes, bit: int) -> None:
    key = private_key_of(seed)
    signature = key.sign(message)
    assert read_public_key(key.public.raw).verify(signature, message)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    assert not key.public.verify(bytes(changed), message)


def test_key_id_is_the_hash_of_the_key() -> None:
    """The fingerprint of the first key of RFC 8032, which anybody can compute with sha256sum."""
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert read_public_key(raw).key_id == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"


def test_public_key_crosses_to_another_process() -> None:
    """The intake is a process of its own; keys are equal by their bytes."""
    again = pickle.loads(pickle.dumps(KEY.public))
    assert (again, hash(again), again.key_id) == (KEY.public, hash(KEY.public), KEY.public.key_id)


def test_private_key_is_read_back_with_its_passphrase_only() -> None:
    """Encrypted, it says what is wrong: none given, a wrong one, or one too many."""
    plain, locked = KEY.write(None), KEY.write("correct horse")
    assert read_private_key(plain, None).public == read_private_key(locked, "correct horse").public == KEY.public
    assert b"ENCRYPTED" in locked
    assert b"ENCRYPTED" not in plain
    for pem, passphrase, word in ((locked, None, "give its passphrase"), (locked, "wrong", "wrong"), (plain, "x", "without")):
        with pytest.raises(Refusal, match=word) as refused:
            read_private_key(pem, passphrase)
        assert refused.value.code is Code.INVALID_SETTING


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"\0" * 100,
        b"x" * 20_000,
        KEY.write()[:-40],
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    ],
    ids=["empty", "zeros", "long", "cut", "another kind"],
)
def test_file_is_refused_when_it_is_no_key_of_ours(pem: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_private_key(pem, None)
    assert refused.value.code is Code.INVALID_SETTING


def test_private_key_does_not_show_itself() -> None:
    """It stands in no log by accident."""
    key = new_private_key()
    assert repr(key) == f"PrivateKey({key.public.key_id})"
    assert new_private_key().public != key.public


def test_key_of_the_log_comes_from_the_host_key() -> None:
    """The same after a restart, another one on another host, and none of the host's other keys."""
    host = new_host_key()
    key = host.log_key()
    assert isinstance(key, PrivateKey)
    assert key.public == private_key_of(host.derive("log")).public
    assert key.public.raw.hex() != host.public_hex()
    assert new_host_key().log_key().public != key.public
