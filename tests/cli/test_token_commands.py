"""Tokens and people at the prompt: what is shown once, what is never shown, and what ends at once."""

import base64
import re
import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

PASSWORD = "correct horse battery"
ORDER = ("token", "create", "--team", "alcirt", "--role", "consumer")


def test_token_is_listed_with_all_but_itself(founded):
    """Where it is good, for what, until when; newest last; of one team or of all."""
    finger = "AB:" * 31 + "ab"
    token = founded(
        *ORDER, "--name", "siem", "--network", "192.0.2.0/24", "--network", "::ffff:198.51.100.7", "--certificate", finger,
        "--collections", "public", "--expires", "90d",
    ).out.strip()  # fmt: skip
    listed = founded("token", "list", "--json")
    assert token not in listed.out
    one = listed.json[-1]
    assert one | {"id": 0, "created": "", "expires": ""} == {
        "id": 0, "team": "alcirt", "role": "consumer", "name": "siem", "person": None,
        "networks": ["192.0.2.0/24", "198.51.100.7/32"],
        "certificate": "ab" * 32, "collections": ["public"], "client": None, "created": "", "expires": "", "last_used": None,
        "revoked": None,
    }  # fmt: skip
    table = founded("token", "list")
    assert "192.0.2.0/24 198.51.100.7/32 certificate abababababab…" in table.out
    assert token not in table.out
    assert [one["team"] for one in founded("token", "list", "--team", "alcirt", "--json").json] == ["alcirt"]
    assert len(listed.json) == 3  # the first admin's, and the one that the host publishes incidents by
    unknown = founded("token", "list", "--team", "nobody")
    assert (unknown.code, "[not-found]" in unknown.err) == (1, True)


@pytest.mark.parametrize(
    "wrong", [("--network", "192.0.2.7/24"), ("--network", "all"), ("--certificate", "abc")], ids=["bits", "word", "half"]
)
def test_token_is_not_made_when_its_lock_is_none(founded, wrong):
    """A token that was to be narrow is not made wide."""
    outcome = founded(*ORDER, *wrong)
    assert (outcome.code, outcome.out, "[malformed-request]" in outcome.err) == (1, "", True)
    assert len(founded("token", "list", "--json").json) == 2


def test_token_is_revoked_once(founded):
    """It stays in the list, with the time; again there is nothing to revoke."""
    founded(*ORDER)
    number = founded("token", "list", "--json").json[-1]["id"]
    assert founded("token", "revoke", number, "--json").json == {"id": number, "revoked": True}
    assert founded("token", "list", "--json").json[-1]["revoked"] is not None
    for again in (number, 999999, 0, 10**30):
        outcome = founded("token", "revoke", again)
        assert (outcome.code, "[not-found]" in outcome.err) == (1, True)


def test_person_is_added_and_shown_their_secret_once(founded, monkeypatch):
    """The address for the telephone stands alone on standard output, the secret beside it for people, and neither in any list."""
    monkeypatch.setenv("REGCERT_PASSWORD", PASSWORD)
    added = founded("person", "add", "Ana", "--team", "alcirt", "--role", "analyst")
    assert added.code == 0
    secret = parse_qs(urlsplit(added.out.strip()).query)["secret"][0]
    assert added.out.startswith("otpauth://totp/RegCERT:ana?")
    assert secret in added.err
    kept = b"".join(path.read_bytes() for path in sorted(Path("var").glob("regcert.db*")))
    for hidden in (secret.encode(), base64.b32decode(secret), PASSWORD.encode()):
        assert hidden not in kept
    (one,) = founded("person", "list", "--json").json
    assert one | {"token": 0, "created": ""} == {
        "login": "ana", "team": "alcirt", "role": "analyst", "token": 0, "password": True, "account": False, "created": "",
        "last_used": None, "locked_until": None,
    }  # fmt: skip
    assert founded("token", "list", "--json").json[-1]["person"] == "ana"
    again = founded("person", "reset", "ana", "--json").json
    assert again["secret"] != secret
    assert founded("person", "remove", "ana").code == 0
    assert founded("person", "list", "--json").json == []
    assert founded("token", "list", "--json").json[-1]["revoked"] is not None


def test_person_is_linked_when_there_is_a_provider(founded, monkeypatch):
    """An account is one at a provider: without one there is nothing to link; nobody shares one."""
    monkeypatch.setenv("REGCERT_PASSWORD", PASSWORD)
    founded("person", "add", "ana", "--team", "alcirt", "--role", "analyst")
    outcome = founded("person", "link", "ana", "--subject", "sub-1")
    assert (outcome.code, "[invalid-setting]" in outcome.err) == (1, True)
    monkeypatch.setenv("REGCERT_OIDC_ISSUER", "https://id.example")
    assert "[invalid-setting]" in founded("person", "link", "ana", "--subject", "sub-1").err  # half of it
    monkeypatch.setenv("REGCERT_OIDC_CLIENT_ID", "regcert")
    assert founded("person", "link", "ana", "--subject", "sub-1").code == 0
    assert founded("person", "list", "--json").json[0]["account"] is True
    taken = founded("person", "add", "bob", "--team", "alcirt", "--role", "analyst", "--subject", "sub-1")
    assert "[already-exists]" in taken.err
    assert (
        founded("person", "add", "bob", "--team", "alcirt", "--role", "admin", "--subject", "sub-2", "--json").json["uri"] is None
    )
    assert founded("person", "link", "ana", "--none").code == 0
    assert founded("person", "list", "--json").json[0]["account"] is False
    assert founded("person", "link", "ana").code == 2
    with sqlite3.connect("var/regcert.db") as connection:
        assert connection.execute("SELECT oidc_subject FROM people ORDER BY login").fetchall() == [
            (None,),
            ("https://id.example sub-2",),
        ]


@pytest.mark.parametrize(
    ("arguments", "password", "code"),
    [
        (("person", "add", "ana", "--team", "alcirt", "--role", "analyst"), None, "invalid-setting"),
        (("person", "add", "ana", "--team", "alcirt", "--role", "analyst"), "too short", "malformed-request"),
        (("person", "add", "ana", "--team", "alcirt", "--role", "consumer"), PASSWORD, "forbidden"),
        (("person", "add", "a b", "--team", "alcirt", "--role", "analyst"), PASSWORD, "malformed-request"),
        (("person", "reset", "nobody"), PASSWORD, "not-found"),
        (("person", "remove", "nobody"), PASSWORD, "not-found"),
    ],
)
def test_person_command_says_why_not(founded, monkeypatch, arguments, password, code):
    """One line, and nobody is added."""
    if password is not None:
        monkeypatch.setenv("REGCERT_PASSWORD", password)
    outcome = founded(*arguments)
    assert outcome.code == 1
    assert re.fullmatch(rf"regcert: [^\n]+ \[{code}\]\n", outcome.err)
    assert founded("person", "list", "--json").json == []
