"""The one table from refusal codes to HTTP, and the three ways in which an answer says no.

TAXII clients get the standard's error resource, our API RFC 9457 problems, people a page. A fault, which is our own failure,
is always 500 with a request id and not a word more.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from regcert.errors import Code, Refusal
from regcert.taxii import resources

STATUS: Mapping[Code, int] = {
    Code.MALFORMED_JSON: 400,
    Code.MALFORMED_REQUEST: 400,
    Code.TOO_DEEP: 400,
    Code.DUPLICATE_KEY: 400,
    Code.UNSAFE_NUMBER: 400,
    Code.UNSAFE_TEXT: 400,
    Code.INVALID_TIMESTAMP: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.SECOND_PERSON_REQUIRED: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.NOT_ACCEPTABLE: 406,
    Code.ALREADY_EXISTS: 409,
    Code.VERSION_CONFLICT: 409,
    Code.OUT_OF_SEQUENCE: 409,
    Code.KEY_LIST_CONFLICT: 409,
    Code.SIGNED_OBJECT: 409,
    Code.PROPOSAL_CLOSED: 409,
    Code.BLIND_MATCH_CLOSED: 409,
    Code.TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.INVALID_STIX: 422,
    Code.INVALID_PATTERN: 422,
    Code.MARKING_ABOVE_CEILING: 422,
    Code.SPEAKS_FOR_ANOTHER_TEAM: 422,
    Code.NOT_THE_AUTHOR: 422,
    Code.MARKING_LOWERED: 422,
    Code.SIGNATURE_REQUIRED: 422,
    Code.INVALID_MANIFEST: 422,
    Code.BAD_SIGNATURE: 422,
    Code.UNKNOWN_KEY: 422,
    Code.KEY_NOT_ACTIVE: 422,
    Code.WRONG_BINDING: 422,
    Code.MANIFEST_MISMATCH: 422,
    Code.PUBLICATION_REFUSED: 422,
    Code.UNSAFE_KEY: 422,
    Code.INVALID_KEY_LIST: 422,
    Code.POSSESSION_NOT_PROVEN: 422,
    Code.INVALID_CHECKPOINT: 422,
    Code.INVALID_COSIGNATURE: 422,
    Code.INVALID_SIGHTING: 422,
    Code.UNKNOWN_INDICATOR: 422,
    Code.INVALID_OBSERVABLE: 422,
    Code.INVALID_DECISION: 422,
    Code.INVALID_PROTECTED: 422,
    Code.TOO_MANY_ATTEMPTS: 429,
    Code.BUSY: 503,
}
TITLES: Mapping[int, str] = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such representation",
    409: "Conflict with what is here",
    413: "Too large",
    415: "Unsupported media type",
    422: "The content cannot be taken",
    429: "Too many attempts",
    500: "The host failed",
    503: "Busy",
}
_CHALLENGE = 'Basic realm="RegCERT", charset="UTF-8", Bearer realm="RegCERT"'
_FAULT = "something went wrong on our side; tell the operator the request id"


def refusal_response(refusal: Refusal, *, taxii: bool, request_id: str) -> web.Response:
    """Answer a refusal to a machine.

    Args:
        refusal: what we say.
        taxii: whether the client speaks TAXII, else our API.
        request_id: under which the log knows the request.
    """
    status = STATUS.get(refusal.code, 400)
    response = _response(status, refusal.code, refusal.message, taxii=taxii, request_id=request_id, details=refusal.details)
    if response.status == 401:
        response.headers["WWW-Authenticate"] = _CHALLENGE
    if response.status in {429, 503}:
        response.headers["Retry-After"] = "5"
    return response


def fault_response(*, taxii: bool, request_id: str) -> web.Response:
    """Answer a fault to a machine: that it was ours, and under which id we find it."""
    return _response(500, "fault", _FAULT, taxii=taxii, request_id=request_id)


def _response(
    status: int, code: str, message: str, *, taxii: bool, request_id: str, details: Mapping[str, Any] | None = None
) -> web.Response:
    if taxii:
        body = resources.error(TITLES[status], message, code, status, request_id, details)
        return web.Response(status=status, body=body, headers={"Content-Type": resources.MEDIA_TYPE})
    problem = {"title": TITLES[status], "status": status, "detail": message, "code": code, "request_id": request_id}
    return web.Response(status=status, body=orjson.dumps(problem), headers={"Content-Type": "application/problem+json"})
