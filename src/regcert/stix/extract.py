"""The observables that a STIX object mentions.

A mention is not a verdict. `[file:name = 'a.exe' AND file:hashes.MD5 = '...']` mentions both values although only the pair
is the indicator: what a value is worth alone is for correlation to say, which knows how common it is. What is negated,
compared by size, likeness or expression, or belongs to a victim (recipients of a mail) is no mention. A value that has no
canonical form is left out: it stays in the object, and nothing can be equal to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from regcert.errors import Code, Refusal
from regcert.stix.observable import Observable, ObservableKind, canonical, canonical_host, read_web_address
from regcert.stix.pattern import Comparison, Operator, Pattern, Value, read_pattern

MAX_OBSERVABLES = 20_000

_Reader = Callable[[str], Observable]


def _of(kind: ObservableKind) -> _Reader:
    return partial(canonical, kind)


# Property paths by object type, list indexes left out. Producers put addresses and networks into domain-name, and domains
# into dst_ref.value, so that whatever names a machine is read as what it is.
_READERS: dict[tuple[str | int, ...], _Reader] = {
    ("ipv4-addr", "value"): canonical_host,
    ("ipv6-addr", "value"): canonical_host,
    ("domain-name", "value"): canonical_host,
    ("domain-name", "resolves_to_refs", "value"): canonical_host,
    ("network-traffic", "src_ref", "value"): canonical_host,
    ("network-traffic", "dst_ref", "value"): canonical_host,
    ("url", "value"): read_web_address,
    ("artifact", "url"): read_web_address,
    ("email-addr", "value"): _of(ObservableKind.EMAIL),
    ("email-message", "from_ref", "value"): _of(ObservableKind.EMAIL),
    ("email-message", "sender_ref", "value"): _of(ObservableKind.EMAIL),
    ("file", "name"): _of(ObservableKind.FILE_NAME),
    ("mutex", "name"): _of(ObservableKind.MUTEX),
    ("autonomous-system", "number"): _of(ObservableKind.ASN),
    ("ipv4-addr", "belongs_to_refs", "number"): _of(ObservableKind.ASN),
    ("ipv6-addr", "belongs_to_refs", "number"): _of(ObservableKind.ASN),
}
_HASH_READERS: Mapping[str, _Reader] = {
    "MD5": _of(ObservableKind.MD5),
    "SHA1": _of(ObservableKind.SHA1),
    "SHA256": _of(ObservableKind.SHA256),
    "SHA512": _of(ObservableKind.SHA512),
    "SSDEEP": _of(ObservableKind.SSDEEP),
    "TLSH": _of(ObservableKind.TLSH),
}
_HASH_NAMES = ("MD5", "SHA-1", "SHA-256", "SHA-512", "SSDEEP", "TLSH")
_HASHED_TYPES = frozenset(("file", "artifact", "x509-certificate"))
# Other spellings of the algorithms are understood too, but looked up by hand.
_READERS |= {(kind, "hashes", name): _HASH_READERS[name.replace("-", "")] for kind in _HASHED_TYPES for name in _HASH_NAMES}
_REQUEST_HEADER = ("extensions", "http-request-ext", "request_header")
_MENTIONING = frozenset((Operator.EQUAL, Operator.IN, Operator.IS_SUBSET))
_HOLDING_TYPES = {"observed-data"} | {object_type for object_type, *_ in _READERS} | _HASHED_TYPES


def observables_of(obj: dict[str, Any]) -> tuple[Observable, ...]:
    """Collect the observables that a STIX object mentions.

    Args:
        obj: an indicator, observed-data or cyber-observable object, already bounded by the reader; any other type has none.

    Returns:
        At most 20,000, each once, in the order of the object.

    Raises:
        Refusal: INVALID_PATTERN where an indicator says that its pattern is STIX and it cannot be read.

    Spec: STIX 2.1 §4.7 (indicator), §4.14 (observed-data), §6 (cyber-observable objects)
    """
    object_type = obj.get("type")
    if object_type != "indicator":
        holds = isinstance(object_type, str) and object_type in _HOLDING_TYPES
        return _bounded(tuple(_of_observation(obj))) if holds else ()
    if obj.get("pattern_type") != "stix":
        return ()
    pattern = obj.get("pattern")
    if not isinstance(pattern, str):
        raise Refusal(Code.INVALID_PATTERN, "the indicator has no pattern: give it one as text")
    return observables_of_pattern(read_pattern(pattern))


def observables_of_pattern(pattern: Pattern) -> tuple[Observable, ...]:
    """Collect the observables that a pattern mentions: at most 20,000, each once, in its order."""
    return _bounded(_of_comparisons(pattern.comparisons))


def _bounded(observables: Sequence[Observable]) -> tuple[Observable, ...]:
    return tuple(observables if len(observables) < 2 else islice(dict.fromkeys(observables), MAX_OBSERVABLES))


def _of_comparisons(comparisons: Iterable[Comparison]) -> list[Observable]:
    found: list[Observable] = []
    for comparison in comparisons:
        if comparison.negated or comparison.operator not in _MENTIONING:
            continue
        read = _find_reader(comparison.object_type, comparison.path)
        if read is None or (comparison.operator is Operator.IS_SUBSET and read is not canonical_host):
            continue
        found.extend(_readable(read, comparison.values))
    return found


def _find_reader(object_type: str, path: tuple[str | int, ...]) -> _Reader | None:
    read = _READERS.get((object_type, *path))
    if read is not None:
        return read
    keys = tuple(step for step in path if isinstance(step, str))
    if len(keys) == 2 and keys[0] == "hashes" and object_type in _HASHED_TYPES:
        return _find_hash_reader(keys[1])
    if keys[:-1] == _REQUEST_HEADER and object_type == "network-traffic":
        return _of(ObservableKind.USER_AGENT) if keys[-1].lower() == "user-agent" else None
    return _READERS.get((object_type, *keys))


def _find_hash_reader(algorithm: str) -> _Reader | None:
    """Find the hash kind behind `SHA-256`, `sha256`, `SHA_256`: producers write all three."""
    return _HASH_READERS.get(algorithm.upper().replace("-", "").replace("_", ""))


def _readable(read: _Reader, values: Iterable[Value]) -> list[Observable]:
    found: list[Observable] = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int):
            continue
        try:
            found.append(read(str(value)))
        except (Refusal, ValueError):  # str() has its own limit: 4300 digits
            continue
    return found


def _of_observation(obj: Mapping[str, Any]) -> Iterator[Observable]:
    if obj.get("type") != "observed-data":
        yield from _of_cyber_observable(obj)
        return
    objects = obj.get("objects")  # deprecated in 2.1, and what MISP and old feeds still send
    for each in objects.values() if isinstance(objects, dict) else ():
        if isinstance(each, dict):
            yield from _of_cyber_observable(each)


def _of_cyber_observable(obj: Mapping[str, Any]) -> Iterator[Observable]:
    object_type = obj.get("type")
    if not isinstance(object_type, str):
        return
    for key in ("value", "name", "number", "url"):
        read = _READERS.get((object_type, key))
        if read is not None and key in obj:
            yield from _readable(read, (obj[key],))
    hashes = obj.get("hashes")
    if object_type in _HASHED_TYPES and isinstance(hashes, dict):
        for algorithm, value in hashes.items():
            read = _find_hash_reader(algorithm)
            if read is not None:
                yield from _readable(read, (value,))
    if object_type == "network-traffic":
        yield from _user_agents(obj)


def _user_agents(traffic: Mapping[str, Any]) -> Iterator[Observable]:
    headers: Any = traffic
    for key in _REQUEST_HEADER:
        headers = headers.get(key) if isinstance(headers, dict) else None
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if name.lower() == "user-agent":
            yield from _readable(_of(ObservableKind.USER_AGENT), value if isinstance(value, list) else (value,))
