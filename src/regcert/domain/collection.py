"""A TAXII collection: who reads it, who writes it, how sensitive it may be; and the API root that it stands in."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.stix.tlp import Tlp

STIX_MEDIA_TYPE = "application/stix+json;version=2.1"


class SignatureRule(StrEnum):
    """Whether posts must carry their team's signature."""

    ACCEPTED = "accepted"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ApiRoot:
    """A group of collections under one address; what is in one cannot be reached through another.

    Args:
        slug: its path segment, one and without dots: MISP and XSOAR put addresses together from it, OpenCTI takes it apart.
        title: for people, unique on the host.
        description: for people.

    Spec: TAXII 2.1 §4.2
    """

    slug: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of an API root.

    Args:
        collection_id: our key for it.
        uuid: its TAXII id, RFC 4122 version 4.
        slug: its TAXII alias, unique on the host.
        api_root: the path segment of its API root.
        title: for people, unique, without `.` and `,` (OpenCTI takes titles apart at these).
        description: for people.
        ceiling: the strictest marking that may be posted; also the marking of what carries none.
        signature: whether unsigned posts are taken.
        scope: names the set of teams that read it; collections with the same readers share a scope, and correlation never
            looks across scopes.
        media_types: that its objects may be of; STIX 2.1 is always the first.
        centre_token: the token, which nobody holds, by which the host publishes here as the centre what crosses borders in the
            scope; None where it publishes nothing. What stands in such a collection is derived, and evidence of nothing.
        blind_matching: whether its readers agreed to be told, and others with them, that other circles hold what it holds.
    """

    collection_id: int
    uuid: str
    slug: str
    api_root: str
    title: str
    description: str
    ceiling: Tlp
    signature: SignatureRule
    scope: str
    media_types: tuple[str, ...] = (STIX_MEDIA_TYPE,)
    centre_token: int | None = None
    blind_matching: bool = False
