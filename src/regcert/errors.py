"""Refusals: what we say when the answer is no.

A refusal is the caller's doing: it carries a stable code and one sentence that a tired person can act on. It never carries a
secret, the content of an object, or anything about another team. No HTTP number stands here: `web/problems.py` holds that
table. Whatever is not a `Refusal` is a fault: we broke, the caller learns a request id and nothing else.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


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
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    SECOND_PERSON_REQUIRED = "second-person-required"
    PROPOSAL_CLOSED = "proposal-closed"
    BLIND_MATCH_CLOSED = "blind-match-closed"
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
    MARKING_LOWERED = "marking-lowered"
    SIGNED_OBJECT = "signed-object"
    # a signed publication as a whole
    SIGNATURE_REQUIRED = "signature-required"
    INVALID_MANIFEST = "invalid-manifest"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_KEY = "unknown-key"
    KEY_NOT_ACTIVE = "key-not-active"
    WRONG_BINDING = "wrong-binding"
    MANIFEST_MISMATCH = "manifest-mismatch"
    OUT_OF_SEQUENCE = "out-of-sequence"
    PUBLICATION_REFUSED = "publication-refused"
    # keys of teams, and the log
    UNSAFE_KEY = "unsafe-key"
    INVALID_KEY_LIST = "invalid-key-list"
    KEY_LIST_CONFLICT = "key-list-conflict"
    POSSESSION_NOT_PROVEN = "possession-not-proven"
    INVALID_CHECKPOINT = "invalid-checkpoint"
    INVALID_COSIGNATURE = "invalid-cosignature"
    INVALID_PROOF = "invalid-proof"
    INVALID_POLICY = "invalid-policy"
    LOG_FORK = "log-fork"
    AUDIT_BROKEN = "audit-broken"
    # sightings
    INVALID_SIGHTING = "invalid-sighting"
    UNKNOWN_INDICATOR = "unknown-indicator"
    INVALID_OBSERVABLE = "invalid-observable"
    # what people decide
    INVALID_DECISION = "invalid-decision"
    INVALID_PROTECTED = "invalid-protected"
    # the host's own configuration
    INVALID_REGION = "invalid-region"
    INVALID_SETTING = "invalid-setting"
    INVALID_GUARD_LIST = "invalid-guard-list"
    MISSING_EXTRA = "missing-extra"
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
        details: the same for a program, bounded, where one sentence does not hold it.
    """

    def __init__(self, code: Code, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message[:400]
        self.details = details

    def __reduce__(self) -> tuple[type["Refusal"], tuple[Code, str, Mapping[str, Any] | None]]:
        """Cross to another process: an exception by itself remembers only what it hands to its parent."""
        return Refusal, (self.code, self.message, self.details)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
