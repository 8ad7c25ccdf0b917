"""Another host's TAXII 2.1, asked as a client through taxii2-client: publish to a collection.

Reading is not here: taxii2-client loses objects and bytes there, and `regcert.client` does not (decision 0011).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from taxii2client import v21
from taxii2client.common import _HTTPConnection
from taxii2client.exceptions import AccessError, TAXIIServiceException

from regcert.errors import Code, Refusal
from regcert.outbound.answers import inert, refusal_of, require_server, require_token, unreachable, unreadable
from regcert.outbound.batches import Written, batches, envelope_of, in_order
from regcert.outbound.bounded import TooMuch, bound

_USER = "regcert"  # the name is free where a token is the password (TAXII 2.1 §8.2.2 asks for Basic, no more)


@dataclass(frozen=True, slots=True)
class Failure:
    """One object that the host did not take, in the host's words, cut and without control characters."""

    stix_id: str
    version: str
    message: str


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What became of a publication: how many objects were accepted, and why the others were not."""

    accepted: int
    failures: tuple[Failure, ...]


class TaxiiHost:
    """A host, and the token we show it; use it as a context manager, or close it.

    Args:
        server: its address, without a path to TAXII.
        token: of a principal there.

    Raises:
        Refusal: INVALID_SETTING, UNAUTHENTICATED: one of them cannot be what it should be. Nothing was asked yet.
    """

    def __init__(self, server: str, token: str) -> None:
        self._server = require_server(server)
        self._connection = _HTTPConnection(_USER, require_token(token), version="2.1")
        bound(self._connection.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._connection.close()

    def publish(self, collection: str, objects: Sequence[Mapping[str, Any]]) -> PublishReport:
        """Publish objects; `publish_written` says how."""
        written = [Written(str(one.get("type")), json.dumps(one, ensure_ascii=False).encode()) for one in objects]
        return self.publish_written(collection, written)

    def publish_written(self, collection: str, objects: Sequence[Written]) -> PublishReport:
        """Publish objects in as many requests as the host's bounds ask for, and wait until it has looked at each.

        Markings and identities go first, so that what refers to them finds them. Publishing the same again does no harm.

        Args:
            collection: its alias or id.
            objects: what to publish.

        Raises:
            Refusal: NOT_FOUND, FORBIDDEN, UNREACHABLE, UNAUTHENTICATED, BUSY, REFUSED_BY_SERVER. Requests that went before
                were taken.

        Spec: TAXII 2.1 §5.4, §4.3
        """
        ordered = in_order(objects)
        with self._asking():
            target = self._find(collection)
            if not target.can_write:
                raise Refusal(Code.FORBIDDEN, f"this token may not write to the collection {collection}")
            most_bytes = int(self._root.max_content_length)
        accepted, failures = 0, []
        for batch in batches(ordered, most_bytes):
            taken, refused = self._post(target, batch)
            accepted += taken
            failures += refused
        return PublishReport(accepted, tuple(failures))

    @cached_property
    def _root(self) -> v21.ApiRoot:
        """The host's first API root, which must be on the host itself: our token goes there."""
        discovery = v21.Server(f"{self._server}/taxii2/", conn=self._connection)
        found = discovery.default or next(iter(discovery.api_roots), None)
        if found is None or _origin(found.url) != _origin(self._server):
            raise unreadable()
        return v21.ApiRoot(found.url, conn=self._connection)

    def _find(self, name: str) -> v21.Collection:
        for collection in self._root.collections:
            if name in {collection.alias, collection.id}:
                return collection
        raise Refusal(Code.NOT_FOUND, f"the server has no collection called {name} for this token")

    def _post(self, target: v21.Collection, batch: Sequence[Written]) -> tuple[int, list[Failure]]:
        with self._asking():
            status = target.add_objects(envelope_of(batch))
            if status.status != "complete":
                raise Refusal(Code.BUSY, "the server has not finished after a minute; publish again later, it does no harm")
            failures = [_read_failure(one) for one in status.failures[: len(batch)]]
            return min(int(status.success_count), len(batch)), failures

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn whatever a request can end in into a refusal."""
        try:
            yield
        except requests.HTTPError as error:
            raise refusal_of(error.response.status_code, error.response.content) from error
        except requests.TooManyRedirects as error:
            raise refusal_of(302, b"") from error
        except TooMuch as error:
            raise Refusal(Code.REFUSED_BY_SERVER, "the server's answer is larger than any that makes sense") from error
        except requests.RequestException as error:
            raise unreachable(self._server) from error
        except AccessError as error:
            raise Refusal(Code.FORBIDDEN, "the server does not allow that in this collection") from error
        except (
            TAXIIServiceException,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            # taxii2-client takes what it is sent for what it should be.
            raise unreadable() from error


def _read_failure(one: Mapping[str, Any]) -> Failure:
    return Failure(inert(one.get("id")), inert(one.get("version"), 64), inert(one.get("message"), 400))


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc
