"""What a TAXII 2.1 server tells, as frozen values. Texts in them are the server's: cut and cleaned only where they are shown.

Spec: TAXII 2.1 §3.7, §4, §5
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from regcert.outbound.answers import unreadable

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a server offers.

    Args:
        title: its name for itself.
        description: more of the same.
        contact: who runs it.
        default: absolute address of the API root that it proposes, or None.
        api_roots: absolute addresses of all of them, also of those elsewhere, where this client does not go.
    """

    title: str
    description: str
    contact: str
    default: str | None
    api_roots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiRoot:
    """One API root.

    Args:
        address: absolute, with its trailing slash.
        title: its name.
        description: more of the same.
        versions: the media types that it speaks.
        max_content_length: the largest body that it takes, bytes; None where it does not say.
    """

    address: str
    title: str
    description: str
    versions: tuple[str, ...]
    max_content_length: int | None


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection.

    Args:
        address: absolute, with its trailing slash.
        root: the address of its API root.
        id: its id there.
        alias: another name in addresses, or None.
        title: for people.
        description: for people.
        can_read: whether these credentials may read it.
        can_write: whether they may publish to it.
        media_types: of its objects.
    """

    address: str
    root: str
    id: str
    alias: str | None
    title: str
    description: str
    can_read: bool
    can_write: bool
    media_types: tuple[str, ...]


@dataclass(frozen=True)  # without slots, which would leave no room for what is read later
class Object:
    """One object, as the bytes that the server sent.

    Args:
        stix_id: its id.
        type: its type; empty where it does not say.
        version: the text of `modified`, else of `created`, else None.
        body: its exact bytes: what signatures are checked against, and what goes into files.
    """

    stix_id: str
    type: str
    version: str | None
    body: bytes

    @cached_property
    def value(self) -> dict[str, Any]:
        """What its JSON says; read when it is first asked for.

        Raises:
            Refusal: REFUSED_BY_SERVER where it nests too deep to be read.
        """
        try:
            value: dict[str, Any] = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise unreadable() from error
        return value


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One line of a manifest.

    Args:
        stix_id: whose.
        date_added: when this version was added.
        version: which.
        media_type: as what it is held; empty where the server does not say.
    """

    stix_id: str
    date_added: str
    version: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a listing.

    Args:
        objects: what stands on it, in the server's order.
        more: whether the listing goes on.
        next: the server's cursor for that, or None where it gave none.
        first_added: X-TAXII-Date-Added-First, or None.
        last_added: X-TAXII-Date-Added-Last, or None.
        etag: by which the same question may be asked again, or None.
        waited: whether the server says that it waited, as it was asked to.
    """

    objects: tuple[Item, ...]
    more: bool
    next: str | None
    first_added: str | None
    last_added: str | None
    etag: str | None = None
    waited: bool = False


@dataclass(frozen=True, slots=True)
class NotModified:
    """The answer to a question with an ETag that is still right."""

    etag: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """One object that a server did not take, in its words, cut and without control characters."""

    stix_id: str
    version: str
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one POST.

    Args:
        id: under which it may be asked for again.
        status: `complete` or `pending`.
        request_timestamp: when the server got it, or None where it does not say.
        total_count: of objects.
        success_count: that it took.
        failure_count: that it did not take.
        pending_count: that it has not looked at.
        successes: ids and versions that it took, as far as it lists them.
        failures: those that it did not take, as far as it lists them.
        pendings: ids and versions that it has not looked at, as far as it lists them.
    """

    id: str
    status: str
    request_timestamp: str | None
    total_count: int
    success_count: int
    failure_count: int
    pending_count: int
    successes: tuple[tuple[str, str], ...]
    failures: tuple[Failure, ...]
    pendings: tuple[tuple[str, str], ...]

    @property
    def is_complete(self) -> bool:
        """Whether the server has looked at every object."""
        return self.status == "complete"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which objects are asked for; empty means all, except that `versions` left out means the latest.

    Args:
        ids: of objects.
        types: of objects.
        versions: `first`, `last`, `all`, or exact versions.
        spec_versions: of STIX.

    Spec: TAXII 2.1 §3.4.1
    """

    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    spec_versions: tuple[str, ...] = ()

    def query(self) -> dict[str, str]:
        """Return the fields of a query that say this."""
        fields = {"id": self.ids, "type": self.types, "version": self.versions, "spec_version": self.spec_versions}
        return {f"match[{name}]": ",".join(values) for name, values in fields.items() if values}


EVERYTHING = Filters()
