"""Client certificates have one name, whichever way a proxy hands them on."""

import base64
import hashlib
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regcert.errors import Code, Refusal
from regcert.identity.certificates import find_certificate, fingerprint_of, read_fingerprint
from tests.identity.issuing import issue

DER = x509.load_pem_x509_certificate(issue("client").certificate).public_bytes(Encoding.DER)
NAME = hashlib.sha256(DER).hexdigest()
COLONS = ":".join(NAME[at : at + 2] for at in range(0, 64, 2)).upper()


@pytest.mark.parametrize(
    "typed", [NAME, NAME.upper(), COLONS, f"sha256 Fingerprint={COLONS}\n"], ids=["digits", "capitals", "colons", "openssl"]
)
def test_fingerprint_is_read_as_tools_print_it(typed: str) -> None:
    """With colons, in capitals, behind openssl's own words."""
    assert read_fingerprint(typed) == NAME == fingerprint_of(DER)


@pytest.mark.parametrize(
    "typed",
    ["", "00", NAME[:-1], NAME + "0", "g" * 64, "sha1:" + NAME[:40], "x" * 99_999],
    ids=["empty", "one byte", "too short", "too long", "no digits", "sha1", "endless"],
)
def test_fingerprint_is_refused_when_it_is_none(typed: str) -> None:
    """Half of one is no narrower lock but no lock."""
    with pytest.raises(Refusal) as refused:
        read_fingerprint(typed)
    assert refused.value.code is Code.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "header",
    [NAME, COLONS, f":{base64.b64encode(DER).decode()}:", quote(x509.load_der_x509_certificate(DER).public_bytes(Encoding.PEM))],
    ids=["digits", "colons", "RFC 9440", "nginx"],
)
def test_certificate_is_found_as_proxies_write_it(header: str) -> None:
    """Four ways, one name."""
    assert find_certificate(header) == NAME


@pytest.mark.parametrize(
    "header",
    [None, "", "-", "(null)", ":%%%:", "::", "-----BEGIN CERTIFICATE-----x", "-----BEGIN%20%ff", f"{NAME},{NAME}", "x" * 99_999],
    ids=range(10),
)
def test_certificate_is_not_found_when_a_header_holds_none(header: str | None) -> None:
    """Whatever else stands there is no certificate, and breaks nothing."""
    assert find_certificate(header) is None
