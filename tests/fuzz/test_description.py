"""What schemas/openapi.json promises is what the host does: right and wrong requests made from it, every answer held against it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from regcert.settings import Settings
from tests.clients.served import Served, serve
from tests.fuzz.test_course import make_tokens
from tests.hosting import TAXII

PAGE = Path(__file__).resolve().parents[2] / "schemas" / "openapi.json"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
print(dir(schemathesis))
