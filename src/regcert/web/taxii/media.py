"""Media types: what a client may ask for, what it may send, and what it always gets.

Out goes exactly `application/taxii+json;version=2.1`. In, deviations that harm nobody are taken: blanks, quotes, no version, a
STIX media type on a POST. Another version of TAXII is not: its answer would be misread.

Spec: TAXII 2.1 §1.6.8, §3.1, §3.3
"""

import re
from functools import lru_cache

from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.taxii.resources import MEDIA_TYPE

_MAX_CHARACTERS = 4096
_VERSION = re.compile(r';\s*version\s*=\s*"?([^";\s]*)"?', re.IGNORECASE)
_WILD = frozenset({"*/*", "application/*"})
_ENVELOPES = frozenset({"application/taxii+json", "application/stix+json"})


def require_acceptable(request: web.Request) -> None:
    """Refuse a client that accepts nothing we can give.

    Raises:
        Refusal: NOT_ACCEPTABLE.
    """
    if not _is_acceptable(",".join(request.headers.getall("Accept", ["*/*"]))[:_MAX_CHARACTERS]):
        raise Refusal(Code.NOT_ACCEPTABLE, f"only {MEDIA_TYPE} is served here; put it into the Accept header")


@lru_cache(maxsize=256)
def _is_acceptable(accepted: str) -> bool:
    for offer in accepted.split(","):
        media_type = offer.split(";")[0].strip().lower()
        # What accepts plain JSON can read TAXII's JSON; browsers and scripts say no more than that.
        if media_type in _WILD or media_type == "application/json":
            return True
        if media_type in _ENVELOPES and _version_of(offer) in {None, "2.1"}:
            return True
    return False


def require_envelope(request: web.Request) -> None:
    """Refuse a body that does not call itself a TAXII envelope or a STIX bundle.

    Raises:
        Refusal: UNSUPPORTED_MEDIA_TYPE.
    """
    content_type = request.headers.get("Content-Type", "")
    media_type = content_type.split(";")[0].strip().lower()
    if media_type not in _ENVELOPES or _version_of(content_type) not in {None, "2.1"}:
        raise Refusal(Code.UNSUPPORTED_MEDIA_TYPE, f"send the body as Content-Type: {MEDIA_TYPE}")


def taxii_response(body: bytes, *, status: int = 200) -> web.Response:
    """Answer with a TAXII resource."""
    return web.Response(status=status, body=body, headers={"Content-Type": MEDIA_TYPE})


def _version_of(media_type: str) -> str | None:
    found = _VERSION.search(media_type)
    return found[1] if found else None
