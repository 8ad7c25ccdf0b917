"""The description of the addresses for machines names each of them, with its methods, and no other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import web

from regcert.web.app import create_app
from regcert.web.services import Services

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
PAGE = json.loads((SCHEMAS / "openapi.json").read_text("utf-8"))
METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}
# For people and for those who watch over the host: neither is for machines that share incidents.
ELSEWHERE = re.compile(r"^/($|console|healthz|readyz)")


def served() -> set[tuple[str, str]]:
    """Every address and method of the router, as a description would write them."""
    app: web.Application = create_app(object.__new__(Services))
    return {
        (route.resource.canonical, route.method.lower())
        for route in app.router.routes()
        if route.resource is not None and not ELSEWHERE.match(route.resource.canonical)
    }


def described() -> set[tuple[str, str]]:
    return {(path, method) for path, item in PAGE["paths"].items() for method in item if method in METHODS}


def test_description_names_every_address_and_no_other() -> None:
    """A route that is new, or gone, or has another method, is so in schemas/openapi.json too."""
    assert described() == served()
    assert {"/api/v1/sightings", "/taxii2/"} <= {path for path, _ in served()}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (value["$ref"],) if isinstance(value.get("$ref"), str) else ()
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def test_every_reference_leads_somewhere_in_the_description() -> None:
    """Nothing is referred to that is not there, and nothing stands there that nobody refers to."""
    found = set(references(PAGE))
    there = {f"#/components/{kind}/{name}" for kind, parts in PAGE["components"].items() for name in parts}
    assert found <= there
    assert {one for one in there - found if "/securitySchemes/" not in one} == set()


def test_every_operation_has_a_name_of_its_own() -> None:
    """Programs make functions of them."""
    names = [item[method]["operationId"] for item in PAGE["paths"].values() for method in item if method in METHODS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", PAGE["components"]["schemas"])
def test_schema_compiles_when_it_is_described(name: str) -> None:
    """Each is a JSON Schema of its own dialect."""
    rooted = {"$ref": f"#/components/schemas/{name}", "components": PAGE["components"]}
    jsonschema_rs.Draft202012Validator(rooted)


@pytest.mark.parametrize(
    ("name", "file"), [("SightingReport", "sighting-report.schema.json"), ("Incident", "incident.schema.json")]
)
def test_schema_says_the_same_when_it_is_shipped_by_itself_too(name: str, file: str) -> None:
    """A report and an incident are described once for programs and once by themselves: in the same words."""
    alone = json.loads((SCHEMAS / file).read_text("utf-8"))
    prefix = {"SightingReport": "Report", "Incident": "Incident"}[name]
    inlined = json.loads(
        re.sub(
            rf"#/components/schemas/{prefix}(\w)",
            lambda found: f"#/$defs/{found[1].lower()}",
            json.dumps(PAGE["components"]["schemas"][name]),
        )
    )
    parts = {part: PAGE["components"]["schemas"][prefix + part.capitalize()] for part in alone["$defs"]}
    assert inlined | {"$schema": alone["$schema"], "$defs": parts} == alone
