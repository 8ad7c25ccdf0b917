"""One answer, with what checks ask of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regcert.conformance.verdict import Broken, expect
from regcert.errors import Refusal
from regcert.stix.timestamps import read_timestamp

FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to one request.

    Args:
        where: what was asked, as a person would say it.
        status: the HTTP number.
        headers: names in lower case, and values.
        body: as it was sent.
    """

    where: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Find a header; several lines of it are one list."""
        values = [value for key, value in self.headers if key == name.lower()]
        return ", ".join(values) if values else None

    def has_status(self, *expected: int) -> "Reply":
        """Return this answer if its status is one of those.

        Raises:
            Broken: it is another.
        """
        wanted = " or ".join(str(one) for one in expected)
        expect(self.status in expected, f"{self.where} was answered {self.status}, not {wanted}")
        return self

    @property
    def json(self) -> Any:
        """What the body says.

        Raises:
            Broken: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Broken(f"the body of {self.where} is no JSON: {self.body[:60]!r}") from error

    @property
    def document(self) -> dict[str, Any]:
        """The body of a successful answer, which is an object in TAXII."""
        value = self.has_status(200, 202).json
        if not isinstance(value, dict):
            raise Broken(f"the body of {self.where} is no JSON object: {self.body[:60]!r}")
        return value

    def list_of(self, name: str) -> list[Any]:
        """The items of a list that may be left out."""
        value = self.document.get(name, [])
        if not isinstance(value, list):
            raise Broken(f"'{name}' of {self.where} is no list")
        return value

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of an envelope or the records of a manifest."""
        items = self.list_of("objects")
        if not all(isinstance(one, dict) for one in items):
            raise Broken(f"'objects' of {self.where} holds something that is no object")
        return items

    @property
    def ids(self) -> list[str]:
        """The ids of the objects, in their order."""
        return [str(one.get("id")) for one in self.objects]

    @property
    def more(self) -> bool:
        """Whether it says that there is more."""
        return self.document.get("more") is True

    @property
    def next(self) -> str:
        """Where it says that it goes on.

        Raises:
            Broken: it says nothing.
        """
        value = self.document.get("next")
        if not isinstance(value, str) or not value:
            raise Broken(f"{self.where} says more but has no 'next'")
        return value

    def instant(self, name: str) -> int:
        """Read a header with a timestamp.

        Raises:
            Broken: it is not there, or no timestamp.
        """
        value = self.header(name)
        if value is None:
            raise Broken(f"{self.where} has no {name}")
        return instant(value, f"{name} of {self.where}")


def instant(text: object, what: str) -> int:
    """Read a timestamp that a server wrote, as microseconds.

    Raises:
        Broken: it is none.
    """
    try:
        return read_timestamp(text if isinstance(text, str) else "")
    except Refusal as refusal:
        raise Broken(f"{what} is no timestamp: {text!r}") from refusal
