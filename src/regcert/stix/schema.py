"""The schemas of STIX 2.1, compiled once: the shape an object must have before anything else is asked of it.

The schemas are data (`schemas/stix-2.1/`). This module compiles them, says in one sentence which rule an object breaks, and
adds the two rules that JSON Schema cannot express: a span of time ends after it begins, and an id names its object's type.
Deliberately not here: the grammar of patterns, what references lead to, and whether the selectors of granular markings
point at anything.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationError, ValidationErrorKind

from regcert.errors import Code, Refusal

_BASE = "regcert:///"  # only a name that relative references resolve against; nothing is ever fetched
_CUSTOM = "custom"
_SHOWN = 80
_SAFE = frozenset(string.ascii_letters + string.digits + "-_.[]")

_Span = tuple[str, str, bool]

# Earlier and later property, and whether they may be the same moment. Compared in each type whose schema has both.
_SPANS = (
    ("created", "modified", True),
    ("first_seen", "last_seen", True),
    ("first_observed", "last_observed", True),
    ("start", "end", True),
    ("valid_from", "valid_until", False),
    ("start_time", "stop_time", False),
)

_TYPE_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


class SchemaSet:
    """The compiled schemas of one STIX version.

    Args:
        schemas: file stem -> parsed schema. Each stem is an object type, but for `common`, which the others refer to, and
            `custom`, which judges every type that has no schema of its own.
    """

    __slots__ = ("_custom", "_rules", "_schemas")

    def __init__(self, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        registry = jsonschema_rs.Registry([(f"{_BASE}{stem}.json", dict(schema)) for stem, schema in schemas.items()])
        self._schemas = schemas
        self._rules = {
            stem: (
                jsonschema_rs.Draft202012Validator(dict(schema), registry=registry, base_uri=f"{_BASE}{stem}.json", offline=True),
                _spans(_declared(schema, schemas["common"])),
            )
            for stem, schema in schemas.items()
            if stem != "common"
        }
        self._custom = self._rules[_CUSTOM]

    def require_valid(self, obj: dict[str, Any]) -> None:
        """Refuse an object that STIX 2.1 does not allow; properties the standard does not know are none of our business.

        Args:
            obj: one object as the reader hands it on: bounded in size and depth, its text valid Unicode.

        Raises:
            Refusal: INVALID_STIX, naming the first property found wrong and what is expected of it, never its value.

        Spec: STIX 2.1 §2 to §7
        """
        kind = obj.get("type")
        rules = self._rules.get(kind, self._custom) if isinstance(kind, str) else self._custom
        validator, spans = rules
        if not validator.is_valid(obj):
            raise Refusal(Code.INVALID_STIX, self._explain(validator, obj))
        if rules is self._custom and not obj["id"].startswith(f"{kind}--"):
            raise Refusal(Code.INVALID_STIX, f"{_path(kind, ['id'])}: must begin with the object's type and two hyphens")
        for span in spans:
            if span[1] in obj:
                _require_order(obj, span)

    def _explain(self, validator: jsonschema_rs.Draft202012Validator, obj: dict[str, Any]) -> str:
        """Say in one sentence what the validator found first."""
        try:
            validator.validate(obj)
        except ValidationError as error:
            where = _path(obj.get("type"), error.instance_path)
            if isinstance(error.kind, ValidationErrorKind.Required):
                return f"{where}: '{error.kind.property}' is missing"
            if isinstance(error.kind, ValidationErrorKind.PropertyNames):
                error = error.kind.error
            return f"{where}: {self._description(error) or _expectation(error.kind)}"
        except ValueError:
            pass  # the wrong value nests deeper than 255: the validator judges it, but will not put it into an error
        return f"{_path(obj.get('type'), [])}: is not a valid STIX 2.1 object"

    def _description(self, error: ValidationError) -> str | None:
        """Look up what the schema says of the place where the keyword stands that failed."""
        uri = (error.absolute_keyword_location or "").partition("#")[0]
        place: Any = self._schemas.get(uri.removeprefix(_BASE).removesuffix(".json"))
        if len(error.schema_path) < 2:
            return None  # the head of a file describes the type, not a rule
        for step in error.schema_path[:-1]:
            place = place[step]
        found = place.get("description")
        return str(found) if found else None


def _require_order(obj: dict[str, Any], span: _Span) -> None:
    """Refuse an object whose span of time ends before it begins."""
    earlier, later, may_be_equal = span
    if earlier in obj and not (may_be_equal and obj[earlier] == obj[later]):
        first, last = _moment(obj[earlier]), _moment(obj[later])
        if last < first or (last == first and not may_be_equal):
            rule = "must not be earlier than" if may_be_equal else "must be later than"
            raise Refusal(Code.INVALID_STIX, f"{_path(obj['type'], [later])}: {rule} '{earlier}'")


def _declared(schema: Mapping[str, Any], common: Mapping[str, Any]) -> frozenset[str]:
    """Collect the properties that a schema, or what it builds on, declares."""
    base = schema.get("$ref", "").rpartition("/")[2]
    inherited = _declared(common["$defs"][base], common) if base else frozenset()
    return inherited.union(schema.get("properties", ()))


def _spans(declared: frozenset[str]) -> tuple[_Span, ...]:
    """Pick the spans whose ends are declared: only those are known to be timestamps."""
    return tuple(span for span in _SPANS if declared.issuperset(span[:2]))


def _moment(timestamp: str) -> tuple[str, str]:
    """Turn a timestamp into something that sorts by time.

    The schema has shown it to be UTC, of a day that exists, and fixed in width up to the second; text compares at any
    precision, a tenth of the price of parsing.
    """
    return timestamp[:19], timestamp[19:-1].rstrip(".0")


def _path(kind: object, steps: Sequence[str | int]) -> str:
    """Write where a property stands; names come from outside, so they are cut and stripped to what is safe to show."""
    path = kind if isinstance(kind, str) and kind else "object"
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return "".join(char if char in _SAFE else "?" for char in path[:_SHOWN])


def _expectation(kind: ValidationErrorKind) -> str:
    """Put a keyword into words where the schema has none of its own."""
    match kind:
        case ValidationErrorKind.Type(types):
            return "must be " + " or ".join(_TYPE_WORDS.get(name, name) for name in types)
        case ValidationErrorKind.Enum(options):
            return "must be one of " + ", ".join(str(option) for option in options)
        case ValidationErrorKind.Constant(expected):
            return f"must be {expected}"
        case ValidationErrorKind.Minimum(limit):
            return f"must be {limit} or more"
        case ValidationErrorKind.MinItems() | ValidationErrorKind.MinProperties() | ValidationErrorKind.MinLength():
            return "must not be empty"
        case _:
            return "is not as STIX 2.1 requires"
