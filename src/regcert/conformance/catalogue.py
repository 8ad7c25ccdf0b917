"""All rules, in the order of the standard."""

from collections.abc import Iterator
from types import ModuleType

from regcert.conformance.check import Check
from regcert.conformance.checks import (
    api_root,
    authentication,
    bodies,
    collections,
    deleting,
    discovery,
    errors,
    filtering,
    http,
    manifest,
    media,
    objects,
    one_object,
    pagination,
    posting,
    status,
    values,
    versions,
)

_MODULES = (
    discovery,
    api_root,
    collections,
    authentication,
    media,
    http,
    errors,
    posting,
    bodies,
    status,
    objects,
    values,
    manifest,
    filtering,
    pagination,
    one_object,
    versions,
    deleting,
)
SECTIONS = {
    "1.6.6": "Transport",
    "1.6.7": "Serialization",
    "1.6.8": "Content negotiation",
    "1.6.9": "Authentication and authorization",
    "2": "Data types",
    "3.1": "Endpoints and methods",
    "3.2": "Headers",
    "3.3": "Sorting",
    "3.4": "Filtering",
    "3.5": "Pagination",
    "3.6": "Errors",
    "3.6.1": "Error resource",
    "3.7": "Envelope",
    "4.1": "Discovery",
    "4.2": "API roots",
    "4.3": "Status",
    "5.1": "Collections",
    "5.2": "A collection",
    "5.3": "Manifest",
    "5.4": "Objects",
    "5.5": "Posting",
    "5.6": "An object",
    "5.7": "Deleting",
    "5.8": "Versions",
    "7.1": "Custom properties",
    "8.2.1": "Core requirements",
    "8.2.2": "HTTPS and sign-in",
}


def all_checks() -> tuple[Check, ...]:
    """Return every check, sections in the order of the standard, within one in the order in which they are written."""
    found = [check for module in _MODULES for check in _checks_of(module)]
    order = list(SECTIONS)
    return tuple(sorted(found, key=lambda check: order.index(check.section)))


def chosen(section: str | None) -> tuple[Check, ...]:
    """Return the checks of a section and of those below it; all where none is named."""
    if section is None:
        return all_checks()
    return tuple(one for one in all_checks() if one.section == section or one.section.startswith(section + "."))


def _checks_of(module: ModuleType) -> Iterator[Check]:
    for value in vars(module).values():
        if isinstance(value, Check):
            yield value
        elif isinstance(value, tuple):
            yield from (one for one in value if isinstance(one, Check))
