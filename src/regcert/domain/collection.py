"""A TAXII collection: who reads it, who writes it, how sensitive it may be."""

from dataclasses import dataclass
from enum import StrEnum

from regcert.stix.tlp import Tlp


class SignatureRule(StrEnum):
    """Whether posts must carry their team's signature."""

    ACCEPTED = "accepted"
    REQUIRED = "required"


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
