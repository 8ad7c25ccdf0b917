"""The ways in which TAXII clients write their token, and everything that is none of them."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcert.errors import Code, Refusal
from regcert.identity.credentials import read_authorization
from regcert.identity.tokens import new_token, token_digest

TOKEN = "regcert_AbC-123_xyz"


def basic(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    "header",
    [
        f"Bearer {TOKEN}",
        f"bearer {TOKEN}",
        f"BEARER   {TOKEN}",
        f"  Bearer {TOKEN}  ",
        f"Token {TOKEN}",
        f"token {TOKEN}",
        f"Basic {basic('alcirt:' + TOKEN)}",
        f"basic {basic(':' + TOKEN)}",
        f"BASIC {basic('a@b.example:' + TOKEN)}",
        f"Basic {basic('имя:' + TOKEN)}",
    ],
)
def test_token_is_read_in_every_spelling(header):
    """Bearer, Token and Basic, whatever their case, blanks and user name."""
    assert read_authorization(header) == TOKEN


def test_password_keeps_its_colons():
    """Only the first colon parts user and password (RFC 7617 §2)."""
    assert read_authorization(f"Basic {basic('user:a:b:')}") == "a:b:"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Basic",
        "Basic ",
        TOKEN,
        f"Digest {TOKEN}",
        f"Bearer{TOKEN}",
        f"ApiKey {TOKEN}",
        "Basic ###",
        "Basic " + basic("nocolon"),
        "Basic " + basic("user:"),
        "Basic " + basic(":"),
        "Basic " + basic(b"\xff:\xfe"),
        "Basic " + basic("a:b").rstrip("=") + "!",
        "Bearer " + "x" * 1025,
        "Basic " + basic("u:" + "x" * 2000),
        "Bearer\x00" + TOKEN,
        "Bearer " + "x" * 10_000_000,
    ],
)
def test_header_is_refused_when_it_holds_no_token(header):
    """One refusal for all of them, which does not repeat what was sent."""
    with pytest.raises(Refusal) as refused:
        read_authorization(header)
    assert refused.value.code is Code.UNAUTHENTICATED
    assert TOKEN not in str(refused.value)


@given(st.text(max_size=60) | st.builds("{} {}".format, st.sampled_from(["Basic", "Bearer", "basic", "x"]), st.text(max_size=60)))
def test_any_header_is_read_or_refused(header):
    """Whatever a header holds: a token that has at least one character, or UNAUTHENTICATED."""
    try:
        assert read_authorization(header)
    except Refusal as refusal:
        code = refusal.code
    else:
        code = Code.UNAUTHENTICATED
    assert code is Code.UNAUTHENTICATED


@given(
    st.text(min_size=1, max_size=80).filter(lambda text: text == text.strip() and text),
    st.text(max_size=20).filter(lambda u: ":" not in u),
)
def test_basic_hands_back_the_password(password, user):
    """Whatever the user name: the password is the token."""
    assert read_authorization("Basic " + basic(f"{user}:{password}")) == password


def test_tokens_are_long_and_never_the_same():
    """256 random bits behind a prefix by which secret scanners know them."""
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    for token in tokens:
        assert token.startswith("regcert_")
        assert len(base64.urlsafe_b64decode(token.removeprefix("regcert_") + "=")) == 32
        assert read_authorization(f"Bearer {token}") == token


@given(st.text(max_size=40))
def test_digest_is_the_sha256_of_the_token(token):
    """What is stored is SHA-256, also of what no token can be."""
    assert token_digest(token) == hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
