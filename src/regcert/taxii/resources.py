"""The TAXII resources, rendered: exactly what the standard names, and never an empty list.

Spec: TAXII 2.1 §2 (lists are left out rather than empty), §3.6 (error), §3.7 (envelope), §4 and §5 (the rest)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from regcert.domain.collection import Collection
from regcert.domain.submission import Refused
from regcert.stix.timestamps import write_timestamp

MEDIA_TYPE = "application/taxii+json;version=2.1"
STIX_MEDIA_TYPE = "application/stix+json;version=2.1"


def discovery(title: str, description: str, roots: Sequence[str]) -> bytes:
    """Render the discovery resource; the first root is the default, letter for letter (§4.1)."""
    return orjson.dumps({"title": title, "description": description, "default": roots[0], "api_roots": list(roots)})


def api_root(title: str, description: str, max_content_bytes: int) -> bytes:
    """Render an API root (§4.2)."""
    return orjson.dumps(
        {
            "title": title,
            "description": description,
            "versions": [MEDIA_TYPE],
            "max_content_length": max_content_bytes,
        }
    )


def collection(found: Collection, *, can_read: bool, can_write: bool) -> dict[str, Any]:
    """Describe a collection to somebody for whom it exists (§5.2)."""
    return {
        "id": found.uuid,
        "title": found.title,
        "description": found.description,
        "alias": found.slug,
        "can_read": can_read,
        "can_write": can_write,
        "media_types": list(found.media_types),
    }


def collections(described: Sequence[dict[str, Any]]) -> bytes:
    """Render the list of collections (§5.1)."""
    return orjson.dumps({"collections": list(described)} if described else {})


def page(name: str, items: bytes, next_cursor: str | None, *, empty_list: bool = False) -> bytes:
    """Frame the items of a page: their bytes are not touched (§3.7).

    Manifest and versions have `more` in the standard, but no way on; we add `next`, as its own committee proposes (cti-taxii2
    #110).

    Args:
        name: of the list, `objects` or `versions`.
        items: all of them, joined by commas; empty where there are none.
        next_cursor: where it goes on, or None at its end.
        empty_list: for clients that need the list even where it is empty.
    """
    if not items and not empty_list:
        return b"{}"
    more = b',"more":true,"next":' + orjson.dumps(next_cursor) if next_cursor else b',"more":false'
    # One join, one copy: a page is most of a megabyte, and each further copy of it costs as much as reading it did.
    return b"".join((b'{"', name.encode(), b'":[', items, b"]", more, b"}"))


def manifest_records(entries: Sequence[tuple[int, str, str]]) -> bytes:
    """Render the records of a manifest from places, ids and versions, joined by commas (§5.3)."""
    return orjson.dumps(
        [
            {"id": stix_id, "date_added": write_timestamp(position), "version": version, "media_type": STIX_MEDIA_TYPE}
            for position, stix_id, version in entries
        ]
    )[1:-1]


def versions(texts: Sequence[str]) -> bytes:
    """Render the versions of one object, joined by commas (§5.8)."""
    return orjson.dumps(list(texts))[1:-1]


def status(status_id: str, received_us: int, accepted: Sequence[tuple[str, str]], refused: Sequence[Refused]) -> bytes:
    """Render the status of a POST that is complete (§4.3).

    Every refused object is listed with its reason and, in front of it, the reason's stable code.
    """
    result: dict[str, Any] = {
        "id": status_id,
        "status": "complete",
        "request_timestamp": write_timestamp(received_us),
        "total_count": len(accepted) + len(refused),
        "success_count": len(accepted),
        "failure_count": len(refused),
        "pending_count": 0,
    }
    if accepted:
        result["successes"] = [{"id": stix_id, "version": version} for stix_id, version in accepted]
    if refused:
        # A status detail must have a version (§4.3.1); what never had one goes by the time of the request.
        result["failures"] = [
            {
                "id": one.stix_id,
                "version": one.version or write_timestamp(received_us),
                "message": str(one.refusal),
            }
            for one in refused
        ]
    return orjson.dumps(result)


def pending_status(status_id: str, received_us: int, accepted: int, refused: int, pending: int) -> bytes:
    """Render the status of a POST that is being looked at: how far it is; the lists come with its end (§4.3)."""
    return orjson.dumps(
        {
            "id": status_id,
            "status": "pending",
            "request_timestamp": write_timestamp(received_us),
            "total_count": accepted + refused + pending,
            "success_count": accepted,
            "failure_count": refused,
            "pending_count": pending,
        }
    )


def error(
    title: str, description: str, code: str, http_status: int, error_id: str, details: Mapping[str, Any] | None = None
) -> bytes:
    """Render an error (§3.6.1)."""
    result: dict[str, Any] = {
        "title": title,
        "description": description,
        "error_id": error_id,
        "error_code": code,
        "http_status": str(http_status),
    }
    return orjson.dumps(result | {"details": dict(details)} if details else result)
