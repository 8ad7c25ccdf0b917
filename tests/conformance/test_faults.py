"""Every fault that servers are known for is found by the check that is named for it, and none is found where there is none."""

import pytest

from regcert.conformance.asking import Terms
from regcert.conformance.catalogue import SECTIONS, all_checks
from regcert.conformance.check import Keyword
from regcert.conformance.verdict import Verdict
from tests.conformance.asking import checks_named, run
from tests.conformance.faulty import READER, WRITER, FaultyServer, serving

TERMS = Terms(f"Bearer {WRITER}", f"Bearer {READER}")

# A fault, and the check that is there to find it.
FAULTS = {
    "accepts-all": "1.6.8-another-version-is-not-acceptable",
    "added-after-unread": "3.4-malformed-added-after-is-refused",
    "adds-property": "5.4-value-for-value-indicator",
    "alias-unknown": "5.2-alias-leads-to-the-collection",
    "always-more": "3.5-no-rest-is-told",
    "any-content-type": "5.5-content-type-plain-text-is-refused",
    "bundle-refused": "5.5-bundle-is-read-as-an-envelope",
    "chunks-unbounded": "4.2-max-content-length-holds-for-chunks",
    "dates-in-milliseconds": "5.3-date-added-has-microseconds",
    "default-elsewhere": "4.1-default-is-a-root",
    "delete-does-nothing": "5.7-deleted-object-is-not-found",
    "delete-takes-all": "5.7-exact-version-is-deleted-alone",
    "drops-custom": "5.4-value-for-value-custom-properties",
    "duplicate-fails": "5.5-duplicate-is-no-failure",
    "duplicate-redelivered": "5.5-duplicate-is-not-delivered-again",
    "duplicate-stored": "5.5-duplicate-is-stored-once",
    "echo": "3.6-error-does-not-echo",
    "ends-of-all": "3.2-ends-are-those-of-the-manifest",
    "etag-stands-still": "3.2-etag-changes-with-the-answer",
    "fields-widen": "3.4-fields-narrow-each-other",
    "gzip-broken": "3.2-gzip-is-well-formed",
    "html-errors": "3.6.1-error-404-has-a-title",
    "id-unmatched": "3.4-id-finds-one",
    "inclusive-added-after": "3.4-added-after-is-exclusive",
    "json-errors": "3.6-media-type-of-an-error",
    "large-limit-refused": "3.5-large-limit-is-cut",
    "latest-by-arrival": "3.4-version-is-the-last-unasked",
    "limit-one-short": "4.2-max-content-length-is-accepted",
    "limit-unkept": "4.2-one-byte-more-is-refused",
    "limit-unread": "3.5-limit-zero-is-refused",
    "manifest-without-way-on": "5.3-manifest-that-says-more-goes-on",
    "manifest-without-next": "5.3-manifest-that-says-more-has-next",
    "marking-500": "5.5-marking-without-modified-is-taken",
    "more-without-next": "3.5-more-comes-with-next",
    "next-forgets": "3.5-next-works-alone",
    "next-once-only": "3.5-next-can-be-used-twice",
    "next-opens-all": "3.5-next-opens-no-other-collection",
    "next-widens": "3.5-next-does-not-widen-the-question",
    "next-without-more": "3.5-next-comes-only-with-more",
    "no-challenge": "8.2.2-sign-in-is-asked-for-objects",
    "no-date-headers": "3.2-ends-are-told",
    "observable-500": "5.5-observable-without-times-is-taken",
    "offset-paging": "3.5-what-is-deleted-meanwhile-disturbs-nothing",
    "one-date-for-a-post": "5.3-date-added-is-unique",
    "open-post": "1.6.9-nobody-posts-without-credentials",
    "order-by-id": "3.3-order-is-arrival",
    "plain-json": "3.2-media-type-of-objects",
    "reader-writes": "5.5-reader-does-not-write",
    "slash-redirect": "5.4-objects-need-no-slash",
    "spec_version-unmatched": "3.4-spec-version-leaves-others-out",
    "status-as-number": "3.6.1-http-status-is-the-status",
    "status-for-all": "4.3-status-is-hidden-from-others",
    "status-forgotten": "4.3-status-can-be-fetched",
    "status-id-again": "4.3-id-is-new-for-each-request",
    "status-id-uuid1": "4.3-id-is-uuid4",
    "status-lost": "4.3-status-can-be-fetched-again",
    "status-reformats": "4.3-detail-version-keeps-its-text",
    "status-without-details": "4.3-details-are-as-many-as-are-counted",
    "total-wrong": "4.3-total-is-the-sum",
    "type-unmatched": "3.4-type-leaves-others-out",
    "unknown-match-refused": "3.4-unknown-match-is-ignored",
    "unknown-next-refused": "3.5-unknown-next-begins-at-the-beginning",
    "version-1970": "5.3-version-of-an-observable-is-not-made-up",
    "version-reformatted": "5.3-version-keeps-its-text",
    "versions-in-milliseconds": "3.4-version-exact",
}
# One fault that shows in several places.
EMPTY_LISTS = (
    "2-status-has-no-empty-list",
    "2-empty-manifest-leaves-its-list-out",
    "2-no-versions-are-left-out",
    "3.7-empty-envelope-has-no-list",
)
# What clients want beyond the standard, or against it, and this server does not give.
WANTED = {
    "3.2-empty-page-echoes-the-last-date",
    "3.7-empty-envelope-has-a-list",
    "3.7-more-is-always-there",
    "4.2-max-content-length-is-useful",
}


async def test_nothing_is_found_when_the_server_keeps_the_standard() -> None:
    """Without a fault, every rule of the standard is kept, and only what clients want beyond it is found missing."""
    async with serving(FaultyServer()) as url:
        found = await run(url, TERMS, collection="Inbox")
    assert found.failed(Keyword.MUST, Keyword.SHOULD, Keyword.MAY) == {}
    assert set(found.failed()) == WANTED
    assert found.findings.conforms
    assert found.findings.left_behind == 0
    assert found.findings.count(Verdict.SKIPPED) < 5


@pytest.mark.parametrize(
    ("fault", "check_id"), [*FAULTS.items(), *(("empty-lists", name) for name in EMPTY_LISTS)], ids=lambda one: one
)
async def test_fault_is_found_when_it_is_switched_on(fault: str, check_id: str) -> None:
    """The check that is named for a fault fails with it, and passes without."""
    for faults, verdict in ((set(), Verdict.PASSED), ({fault}, Verdict.FAILED)):
        async with serving(FaultyServer(faults)) as url:
            found = await run(url, TERMS, collection="Inbox", checks=checks_named(check_id))
        assert found[check_id].verdict is verdict, found[check_id].seen


def test_rule_is_named_once_and_told_when_the_catalogue_is_read() -> None:
    """An id names one rule for good; every rule is a sentence, of a section that has a name, and a client's need names it."""
    checks = all_checks()
    assert len({one.check_id for one in checks}) == len(checks) > 400
    for one in checks:
        assert one.check_id.startswith(f"{one.section}-")
        assert one.rule.endswith((".", ")"))
        assert one.section in SECTIONS
        assert bool(one.client) is (one.keyword is Keyword.CLIENT), one.check_id
