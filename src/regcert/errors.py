"""Refusals: what we say when the answer is no.

A refusal is the caller's doing: it carries a stable code and one sentence that a tired person can act on. It never carries a
secret, the content of an object, or anything about another team. No HTTP number stands here: `web/problems.py` holds that
table. Whatever is not a `Refusal` is a fault: we broke, the caller learns a request id and nothing else.
"""

from enum import StrEnum


class Code(StrEnum):
    """Every reason for which RegCERT says no; the value is stable and documented in docs/refusals.md."""

    # the frame of a request
    MALFORMED_JSON = "malformed-json"
    MALFORMED_REQUEST = "malformed-request"
    TOO_LARGE = "too-large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    NOT_ACCEPTABLE = "not-acceptable"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    BUSY = "busy"
    # who is asking, and may they
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    # one object of an envelope
    TOO_DEEP = "too-deep"
    DUPLICATE_KEY = "duplicate-key"
    UNSAFE_NUMBER = "unsafe-number"
    UNSAFE_TEXT = "unsafe-text"
    INVALID_STIX = "invalid-stix"
    INVALID_PATTERN = "invalid-pattern"
    INVALID_TIMESTAMP = "invalid-timestamp"
    VERSION_CONFLICT = "version-conflict"
    MARKING_ABOVE_CEILING = "marking-above-ceiling"
    SPEAKS_FOR_ANOTHER_TEAM = "speaks-for-another-team"
    NOT_THE_AUTHOR = "not-the-author"
    SIGNATURE_REQUIRED = "signature-required"
    # sightings
    INVALID_SIGHTING = "invalid-sighting"
    UNKNOWN_INDICATOR = "unknown-indicator"
    INVALID_OBSERVABLE = "invalid-observable"
    # the host's own configuration
    INVALID_REGION = "invalid-region"
    INVALID_SETTING = "invalid-setting"
    INVALID_GUARD_LIST = "invalid-guard-list"
    ALREADY_EXISTS = "already-exists"
    NOT_INITIALISED = "not-initialised"
    UNSAFE_DATABASE = "unsafe-database"
    # the other side of a client command
    UNREACHABLE = "unreachable"
    REFUSED_BY_SERVER = "refused-by-server"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """We say no.

    Args:
        code: why, from the closed list above.
        message: one sentence, at most 400 characters, that says what is wrong and what to do about it.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message[:400]

    def __reduce__(self) -> tuple[type["Refusal"], tuple[Code, str]]:
        """Cross to another process: an exception by itself remembers only what it hands to its parent."""
        return Refusal, (self.code, self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
