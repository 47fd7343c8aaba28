"""The OpenAPI document is true: schemathesis sends what it allows and what it does not, and holds
every answer against it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from zoo.serve import Server

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


OPERATIONS = ("/v1/detect", "/v1/models", "/metrics", "/healthz", "/readyz")


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_answer_is_as_described(path: str, server: Server) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    found = [one.ok() for one in schema.get_all_operations()]
    [operation] = [one for one in found if one.path == path]

    @settings(
        max_examples=25 if path == "/v1/detect" else 2,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS)

    check()
