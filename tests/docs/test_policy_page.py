"""docs/policy.md shows the tables of the code, and no others."""

import re
from pathlib import Path

import pytest

from regcert.policy.facts import FACTS
from regcert.policy.permissions import POLICY
from regcert.policy.routes import ROUTES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policy.md"


def facts() -> str:
    rows = [f"| `{fact.name}` | {fact.meaning} |" for fact in FACTS]
    return "\n".join(["| fact | whoever |", "|---|---|", *rows])


def permissions() -> str:
    rows = []
    for permission, lines in POLICY.items():
        told = " **or** ".join(" and ".join(f"`{fact.name}`" for fact in line) or "anybody" for line in lines)
        rows.append(f"| `{permission.name}` | {permission.value} | {told} |")
    return "\n".join(["| permission | to | needs |", "|---|---|---|", *rows])


def routes() -> str:
    rows = [f"| {method} | `{path}` | `{permission.name}` |" for (method, path), permission in ROUTES.items()]
    return "\n".join(["| method | address | asks for |", "|---|---|---|", *rows])


@pytest.mark.parametrize(("name", "expected"), [("facts", facts()), ("permissions", permissions()), ("routes", routes())])
def test_page_shows_the_table_of_the_code(name, expected):
    """Word for word; where this fails, put what is printed below in the place of what stands there."""
    found = re.search(f"<!-- {name} -->\n(.*?)\n?<!-- end -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    assert found[1] == expected, expected
