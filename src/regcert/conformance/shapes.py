"""The data types of TAXII, as far as an answer shows them."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from regcert.conformance.verdict import Broken, expect

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_PROPERTY = re.compile(r"[a-z0-9_]{1,250}", re.ASCII)


def require_text(document: Mapping[str, Any], name: str, what: str) -> str:
    """Return a property that must be a text with something in it.

    Raises:
        Broken: it is not.
    """
    value = document.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Broken(f"'{name}' of {what} is {value!r}, not a text")
    return value


def optional_text(document: Mapping[str, Any], name: str, what: str) -> None:
    """Require a property to be a text if it is there at all."""
    expect(name not in document or isinstance(document[name], str), f"'{name}' of {what} is {document.get(name)!r}, not a text")


def require_count(document: Mapping[str, Any], name: str, what: str) -> int:
    """Return a property that must be a whole number, and not negative.

    Raises:
        Broken: it is not.
    """
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Broken(f"'{name}' of {what} is {value!r}, not a number from 0")
    return value


def require_truth(document: Mapping[str, Any], name: str, what: str) -> None:
    """Require a property to be true or false."""
    expect(isinstance(document.get(name), bool), f"'{name}' of {what} is {document.get(name)!r}, not true or false")


def optional_texts(document: Mapping[str, Any], name: str, what: str) -> None:
    """Require a property, if it is there, to be a list of texts with at least one."""
    if name not in document:
        return
    value = document[name]
    kept = isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)
    expect(kept, f"'{name}' of {what} is {value!r}, not a list of texts with something in it")


def require_own_timestamp(text: object, what: str) -> None:
    """Require a timestamp as TAXII writes them: UTC, `Z`, six decimals."""
    expect(isinstance(text, str) and _TIMESTAMP.fullmatch(text) is not None, f"{what} is {text!r}")


def require_uuid4(text: object, what: str) -> None:
    """Require a UUID of version 4."""
    try:
        kept = isinstance(text, str) and uuid.UUID(text).version == 4 and str(uuid.UUID(text)) == text.lower()
    except ValueError:
        kept = False
    expect(kept, f"{what} is {text!r}")


def require_property_names(document: Mapping[str, Any], what: str) -> None:
    """Require names that TAXII allows, also of properties that it does not know."""
    strange = [name for name in document if not _PROPERTY.fullmatch(name)]
    expect(not strange, f"{what} has properties named {strange!r}")
