"""What the three payloads share: they are read leniently, written again, and taken only where both are the same bytes.

So there is one text for each payload, and no reader sees another value in it than the next. All of them hold text, whole
numbers and null, and ASCII only, in which the fast writer is the canonical one.
"""

import re
from typing import Any, TypeVar

import msgspec
import orjson

from regcert.errors import Code, Refusal
from regcert.stix.timestamps import read_timestamp, write_timestamp

HASH_BYTES = 32
MAX_COUNT = 2**53 - 1

_COLLECTION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_STIX_ID = re.compile(r"([a-z][a-z0-9-]{2,249})--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_HOST = re.compile(r"[!-*,-~]{1,200}")  # what a log may be called: visible, and no plus sign

Read = TypeVar("Read", bound=msgspec.Struct)


class NotExactError(ValueError):
    """A payload, or a part of it, is not what its one form allows; what it is for decides the refusal."""


def write_payload(members: dict[str, Any]) -> bytes:
    """Write a payload in its one form.

    Args:
        members: text within ASCII, whole numbers up to 2^53 - 1, None, lists and dicts of them; no floats.

    Raises:
        NotExactError: where that is no JSON.

    Spec: RFC 8785 §3.2
    """
    try:
        return orjson.dumps(members, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError as error:
        raise NotExactError("a text is half of a surrogate pair, or a number is beyond 2^53") from error


def read_members(payload: bytes, most_bytes: int, kind: type[Read]) -> Read:
    """Read the members of a payload; the caller writes them again and compares.

    Args:
        payload: from anywhere.
        most_bytes: longer ones are not looked at.
        kind: a struct that forbids members that it does not know.

    Raises:
        NotExactError: with what is wrong, in words that quote nothing of it.
    """
    if len(payload) > most_bytes:
        raise NotExactError(f"it has more than {most_bytes} bytes")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotExactError("a member is missing, unknown or of the wrong type") from error


def require_same(payload: bytes, written: bytes) -> None:
    """Refuse a payload that is not the bytes that we would write for what it says.

    Raises:
        NotExactError: always where the two differ.
    """
    if payload != written:
        raise NotExactError("its bytes are not the RFC 8785 form of what it says")


def read_hash(text: str) -> bytes:
    """Read 32 bytes in hexadecimal; that they were lower case shows when they are written again.

    Raises:
        NotExactError: where there are not 32 of them.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError as error:
        raise NotExactError("a hash, key or nonce is not in hexadecimal") from error
    if len(value) != HASH_BYTES:
        raise NotExactError("a hash, key or nonce has not 64 hexadecimal digits")
    return value


def read_time(text: str) -> int:
    """Read a time, as microseconds since the epoch; that it had six decimals shows when it is written again.

    Raises:
        NotExactError: where it is none.
    """
    try:
        return read_timestamp(text)
    except Refusal as refusal:
        raise NotExactError("a time is not written as 2026-11-21T19:55:39.123456Z") from refusal


def write_time(at_us: int) -> str:
    """Write a time as payloads have it.

    Args:
        at_us: microseconds since the epoch, of a year from 1 to 9999.

    Spec: RFC 3339 §5.6
    """
    return write_timestamp(at_us)


def require_host(text: str) -> None:
    """Refuse what cannot be the origin of a log: 1 to 200 visible ASCII characters without `+`.

    Raises:
        NotExactError: for whatever else.
    """
    if _HOST.fullmatch(text) is None:
        raise NotExactError("'host' is no origin of a log")


def require_collection(text: str) -> None:
    """Refuse what is no id of a collection.

    Raises:
        NotExactError: unless it is a UUID in lower case.
    """
    if _COLLECTION.fullmatch(text) is None:
        raise NotExactError("'collection' is no UUID in lower case")


def require_id(text: str, kind: str = "") -> None:
    """Refuse what is no STIX id, or not one of this type.

    Raises:
        NotExactError: for whatever else.

    Spec: STIX 2.1 §2.9
    """
    match = _STIX_ID.fullmatch(text)
    if match is None or (kind and match[1] != kind):
        raise NotExactError(f"a text is no id of {kind or 'a STIX object'}")


def require_count(number: int) -> None:
    """Refuse what cannot be a running number.

    Raises:
        NotExactError: unless it is 1 to 2^53 - 1.
    """
    if not 1 <= number <= MAX_COUNT:
        raise NotExactError("a running number is not 1 to 2^53 - 1")


def refusal_of(code: Code, what: str, why: NotExactError) -> Refusal:
    """Make the refusal for a payload that is not exact."""
    return Refusal(code, f"the {what} cannot be taken: {why}; docs/signing.md says how it is made")
