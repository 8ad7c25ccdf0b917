"""What the other side says when it says no, made fit to be shown to a person."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from regcert.errors import Code, Refusal

MOST_WORDS = 200
MOST_FAILURES = 100
_REDIRECTS = range(300, 400)


def require_server(server: str) -> str:
    """Return the address of a host without its trailing slash.

    Raises:
        Refusal: INVALID_SETTING. A name or password in an address ends up in logs and in lists of processes.
    """
    try:
        parts = urlsplit(server)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc
        wrong = wrong or bool(parts.query or parts.fragment) or (parts.port is not None and parts.port == 0)
    except ValueError:
        wrong = True
    if wrong:
        raise Refusal(Code.INVALID_SETTING, "the server must be an address such as https://regcert.example")
    return server.rstrip("/")


def require_token(token: str) -> str:
    """Return a token that can be sent in a header.

    Raises:
        Refusal: UNAUTHENTICATED. A line break in a header would begin another one.
    """
    if not (token.isascii() and token.isprintable()) or not token or " " in token:
        raise Refusal(Code.UNAUTHENTICATED, "give a token with --token or REGCERT_TOKEN; 'regcert token create' makes one")
    return token


def inert(words: object, most: int = MOST_WORDS) -> str:
    """Turn a stranger's words into one line without control characters, of at most so many characters."""
    text = words if isinstance(words, str) else ""
    shown = "".join(character if character.isprintable() else " " for character in text[: most * 4])
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def refusal_of(status: int, body: bytes) -> Refusal:
    """Turn an HTTP error into a refusal, with what a TAXII error or an RFC 9457 problem says.

    Args:
        status: the HTTP number, 300 to 599.
        body: the bounded body, whatever is in it.

    Returns:
        The refusal; in its details, the server's own code and the objects that it names, cut to what may be shown.

    Spec: TAXII 2.1 §3.6.1, RFC 9457
    """
    said = _words(body)
    if status in _REDIRECTS:
        return Refusal(Code.REFUSED_BY_SERVER, "the server redirects, which is not followed with a token; name its new address")
    if status == 401:
        return Refusal(Code.UNAUTHENTICATED, said or "the server does not know this token; ask your coordinator for a new one")
    if status == 404:
        return Refusal(Code.NOT_FOUND, said or "the server has nothing at this address, or not for these credentials")
    if status in {429, 503}:
        return Refusal(Code.BUSY, said or "the server is busy; try again in a few seconds")
    return Refusal(Code.REFUSED_BY_SERVER, f"the server answered {status}: {said or 'no reason given'}", _details(body))


def unreachable(server: str) -> Refusal:
    """Say that a host does not answer."""
    return Refusal(Code.UNREACHABLE, f"{inert(server)} does not answer; check the address and the network")


def unreadable() -> Refusal:
    """Say that an answer is not what its standard asks for."""
    return Refusal(Code.REFUSED_BY_SERVER, "the server's answer cannot be read; is this the address of a RegCERT or TAXII 2.1?")


def _details(body: bytes) -> dict[str, Any] | None:
    """Read what a program can act on: the server's code, and which objects it refuses, where it says so."""
    error = _read(body)
    code, told = inert(error.get("error_code") or error.get("code"), 64), error.get("details")
    listed = told.get("failures") if isinstance(told, Mapping) else None
    some = listed[:MOST_FAILURES] if isinstance(listed, list) else []
    failures = [
        {name: inert(one.get(name), most) for name, most in (("id", MOST_WORDS), ("version", 64), ("message", MOST_WORDS))}
        for one in some
        if isinstance(one, Mapping)
    ]
    return {"code": code, "failures": failures} if code else None


def _words(body: bytes) -> str:
    error = _read(body)
    return inert(error.get("description") or error.get("detail")) or inert(error.get("title"))


def _read(body: bytes) -> Mapping[str, Any]:
    try:
        error = json.loads(body[:65_536])
    except (ValueError, RecursionError):
        return {}
    return error if isinstance(error, Mapping) else {}
