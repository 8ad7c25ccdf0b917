"""A TAXII 2.1 client for Python programs: `AsyncClient` over asyncio, `Client` for everybody else. docs/client.md shows how.

It hands out each object as the bytes that the server sent, never skips one, and takes the server for a stranger: answers are
bounded before they are read, redirects are not followed, and the credentials stay on the origin that was named. It knows no
database and no host: a program that only reads from others imports nothing else of RegCERT than what stands below.

This room alone has names in its `__init__`: to be imported from here is what it is for.
"""

from regcert.client.asynchronous import AsyncClient
from regcert.client.options import Bounds, Options, Timing
from regcert.client.publishing import Published
from regcert.client.resources import (
    EVERYTHING,
    ApiRoot,
    Collection,
    Discovery,
    Failure,
    Filters,
    ManifestEntry,
    NotModified,
    Object,
    Page,
    Status,
)
from regcert.client.resume import Position, ResumeFile
from regcert.client.synchronous import Client
from regcert.client.verifying import pull_verified
from regcert.errors import Code, Refusal
from regcert.outbound.patience import Patience
from regcert.signing.private_key import PrivateKey, new_private_key, read_private_key
from regcert.translog.policy import read_policy
from regcert.verification.roots import Trust, read_roots

__all__ = [
    "EVERYTHING",
    "ApiRoot",
    "AsyncClient",
    "Bounds",
    "Client",
    "Code",
    "Collection",
    "Discovery",
    "Failure",
    "Filters",
    "ManifestEntry",
    "NotModified",
    "Object",
    "Options",
    "Page",
    "Patience",
    "Position",
    "PrivateKey",
    "Published",
    "Refusal",
    "ResumeFile",
    "Status",
    "Timing",
    "Trust",
    "new_private_key",
    "pull_verified",
    "read_policy",
    "read_private_key",
    "read_roots",
]
