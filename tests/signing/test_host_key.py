"""The host's key: written and read back, and good for single purposes."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from regcert.errors import Code, Refusal
from regcert.signing.host_key import HostKey, new_host_key, read_host_key


def test_key_is_the_same_when_read_back():
    """A restart changes neither the public key nor what is derived."""
    key = new_host_key()
    again = read_host_key(key.write())
    assert again.public_hex() == key.public_hex()
    assert again.derive("cursor") == key.derive("cursor")


def test_derived_keys_differ_by_purpose_and_by_host():
    """A key for one purpose tells nothing about the others."""
    one, other = new_host_key(), new_host_key()
    derived = [one.derive("cursor"), one.derive("other"), other.derive("cursor"), one.derive("")]
    assert len(set(derived)) == 4
    assert all(len(key) == 32 for key in derived)


def test_derived_key_never_changes():
    """Cursors of an older release must open: the derivation is fixed (RFC 5869, a known answer)."""
    key = HostKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    assert key.derive("cursor").hex() == "cdf7744f712d48c34517ac955624227b0543f63533360753fdba9ee9c816169b"


def encoded(private: PrivateKeyTypes, encryption: serialization.KeySerializationEncryption) -> bytes:
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"\x00" * 100,
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        new_host_key().write()[:-40],
        encoded(generate_private_key(SECP256R1()), serialization.NoEncryption()),
        encoded(Ed25519PrivateKey.generate(), serialization.BestAvailableEncryption(b"password")),
    ],
    ids=["empty", "zeros", "no key", "cut", "another kind", "locked"],
)
def test_file_is_refused_when_it_is_not_our_kind_of_key(pem):
    """Damaged, of another kind, or locked: one refusal that says where to get the right one."""
    with pytest.raises(Refusal) as refused:
        read_host_key(pem)
    assert refused.value.code is Code.INVALID_SETTING
    assert "backup" in refused.value.message
