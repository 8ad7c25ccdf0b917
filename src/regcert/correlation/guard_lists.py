"""Guard lists: what the lists of benign values look like, ours in TOML and the MISP warninglists in JSON.

The two mistakes a list can make are not equal: one that matches too little costs a false alarm, one that matches too
much hides an attack, and attackers choose their names with our lists in hand. So no form of match that they can steer
is offered.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from regcert.errors import Code, Refusal
from regcert.stix.observable import ObservableKind

MAX_ENTRIES = 1_000_000
MAX_ENTRY_CHARS = 2_048
MAX_NAME_CHARS = 200
MAX_REASON_CHARS = 400

_ADDRESSES = frozenset({ObservableKind.IPV4, ObservableKind.IPV6, ObservableKind.CIDR})
_FIELDS = frozenset({"name", "reason", "match", "kinds", "entries"})


class Match(StrEnum):
    """How the entries of a list are compared."""

    EXACT = "exact"
    DOMAIN_SUFFIX = "domain-suffix"
    CIDR = "cidr"


# What a list speaks about where it does not say. Never e-mail: an address at a large provider is not benign because the
# provider is, so a list guards e-mail only by naming it.
DEFAULT_KINDS: Mapping[Match, frozenset[ObservableKind]] = {
    Match.EXACT: frozenset(ObservableKind) - {ObservableKind.EMAIL},
    Match.DOMAIN_SUFFIX: frozenset({ObservableKind.DOMAIN, ObservableKind.URL}),
    Match.CIDR: _ADDRESSES | {ObservableKind.URL},
}

_WARNINGLIST_MATCHES: Mapping[str, Match] = {
    "string": Match.EXACT,
    "hostname": Match.DOMAIN_SUFFIX,
    "substring": Match.DOMAIN_SUFFIX,
    "cidr": Match.CIDR,
}
_ATTRIBUTE_KINDS: Mapping[str, frozenset[ObservableKind]] = {
    **dict.fromkeys(("ip-src", "ip-dst", "ip"), _ADDRESSES),
    **dict.fromkeys(("domain", "hostname"), frozenset({ObservableKind.DOMAIN})),
    **dict.fromkeys(("url", "uri"), frozenset({ObservableKind.URL})),
    **dict.fromkeys(("email", "email-src", "email-dst", "target-email"), frozenset({ObservableKind.EMAIL})),
    **{kind.value: frozenset({kind}) for kind in ObservableKind if kind not in _ADDRESSES},
    "filename": frozenset({ObservableKind.FILE_NAME}),
    "AS": frozenset({ObservableKind.ASN}),
}


@dataclass(frozen=True, slots=True)
class GuardList:
    """Benign values of one sort, and why they are benign.

    Args:
        name: what people call the list.
        reason: one sentence for the coordinator who wonders why a value made no incident.
        match: `exact`: the value, or the host of a url; `domain-suffix`: the name and all below it; `cidr`: all within.
        kinds: the kinds it speaks about; a url is judged by its host only where `url` is among them, an e-mail by its
            domain only where `email` is.
        entries: values in canonical form: A-labels for names, networks or single addresses for `cidr`.
    """

    name: str
    reason: str
    match: Match
    kinds: frozenset[ObservableKind]
    entries: tuple[str, ...]


def read_guard_list(data: Mapping[str, object]) -> GuardList:
    """Read one of our own lists, see schemas/guard-list.schema.json.

    Args:
        data: the parsed TOML of one file.

    Returns:
        The list, its entries in lower case.

    Raises:
        Refusal: INVALID_GUARD_LIST, naming the property at fault.
    """
    if data.keys() - _FIELDS:
        raise _refuse("has a property that is not name, reason, match, kinds or entries; remove it")
    match = next((form for form in Match if form == data.get("match")), None)
    if match is None:
        raise _refuse("needs match to be exact, domain-suffix or cidr")
    return GuardList(
        name=_read_text(data, "name", MAX_NAME_CHARS),
        reason=_read_text(data, "reason", MAX_REASON_CHARS),
        match=match,
        kinds=_read_kinds(data["kinds"]) if "kinds" in data else DEFAULT_KINDS[match],
        entries=_read_entries(data.get("entries"), "entries", match),
    )


def read_warninglist(data: Mapping[str, object]) -> GuardList:
    """Read a MISP warninglist.

    `string` is exact, as in MISP, so its entries with a leading dot match nothing here either. `substring` is read as
    names and all below them: a text that may stand anywhere in a value is one that attackers can put into their own
    names. `regex` is refused: expressions from strangers are not run, one of them can stop the host.

    Args:
        data: the parsed list.json of one list.

    Returns:
        The list, its entries in lower case; its reason is its name.

    Raises:
        Refusal: INVALID_GUARD_LIST, naming the property at fault.
    """
    kind = data.get("type", "string")
    if kind == "regex":
        raise _refuse("is of type regex: expressions from strangers are not run; leave this list out")
    match = _WARNINGLIST_MATCHES.get(kind) if isinstance(kind, str) else None
    if match is None:
        raise _refuse("needs type to be string, hostname, substring or cidr")
    name = _read_text(data, "name", MAX_NAME_CHARS)
    return GuardList(
        name=name,
        reason=f"It is on the warninglist “{name}”.",
        match=match,
        kinds=_read_attributes(data.get("matching_attributes", []), match),
        entries=_read_entries(data.get("list"), "list", match),
    )


def _read_text(data: Mapping[str, object], field: str, most_chars: int) -> str:
    text = data.get(field)
    if not isinstance(text, str) or not 0 < len(text.strip()) <= most_chars or not text.isprintable():
        raise _refuse(f"needs {field} to be one line of 1 to {most_chars} characters")
    return text.strip()


def _read_kinds(value: object) -> frozenset[ObservableKind]:
    known = {kind.value for kind in ObservableKind}
    if not isinstance(value, list) or not value or not all(isinstance(kind, str) and kind in known for kind in value):
        raise _refuse("needs kinds to be a list of kinds of observable, or to be absent")
    return frozenset(map(ObservableKind, value))


def _read_attributes(value: object, match: Match) -> frozenset[ObservableKind]:
    if not isinstance(value, list) or len(value) > MAX_NAME_CHARS or not all(isinstance(name, str) for name in value):
        raise _refuse("needs matching_attributes to be a list of attribute types")
    if not value:
        return DEFAULT_KINDS[match]
    parts = {part for name in value for part in name.split("|")}
    kinds = frozenset[ObservableKind]().union(*(_ATTRIBUTE_KINDS.get(part, frozenset()) for part in parts))
    if not kinds:
        raise _refuse("speaks about none of the kinds of value that are correlated; leave it out")
    return kinds


def _read_entries(value: object, field: str, match: Match) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ENTRIES:
        raise _refuse(f"needs {field} to be a list of 1 to {MAX_ENTRIES} entries")
    entries = []
    for number, entry in enumerate(value, start=1):
        if not isinstance(entry, str) or not 0 < len(entry) <= MAX_ENTRY_CHARS:
            raise _refuse(f"needs entry {number} of {field} to be a text of 1 to {MAX_ENTRY_CHARS} characters")
        entries.append(_read_entry(entry.strip().lower(), f"entry {number} of {field}", match))
    return tuple(dict.fromkeys(entries))


def _read_entry(entry: str, place: str, match: Match) -> str:
    if match is Match.CIDR:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            raise _refuse(f"needs {place} to be an address or a network") from None
    if match is Match.DOMAIN_SUFFIX:
        entry = entry.lstrip("@.").rstrip(".")
        if not entry or not all(0 < len(label) <= 63 for label in entry.split(".")):
            raise _refuse(f"needs {place} to be a domain name")
    return entry


def _refuse(fault: str) -> Refusal:
    return Refusal(Code.INVALID_GUARD_LIST, f"The guard list {fault}.")
