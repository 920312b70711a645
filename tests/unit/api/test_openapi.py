"""What the OpenAPI document says of every operation."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import pytest

from api.app import create_app
from devices.kinds import load


@pytest.fixture
def document() -> dict[str, Any]:
    """Return the document; making it needs no database."""
    pool = cast("asyncpg.Pool[asyncpg.Record]", None)
    return create_app(pool=pool, kinds=load(), now=lambda: 0, beyond_loopback=True).openapi()


def test_every_problem_is_documented_as_one(document: dict[str, Any]) -> None:
    assert document["paths"].pop("/readyz")["get"]["responses"]["503"]["content"].keys() >= {
        "application/json"
    }
    # What devices are told of ranges is HTTP's own.
    assert document["paths"]["/firmware/{sha256}"]["get"]["responses"].pop("416")["content"] == {
        "text/plain": {}
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert response["content"].keys() == {"application/problem+json"}, (method, path, status)


def test_what_is_never_sent_is_not_declared(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document)


def test_what_guards_answer_is_declared_everywhere_but_at_healthz(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            declared = set(operation["responses"])
            assert {"400", "421", "500", "503"} <= declared
            assert ({"401", "429"} <= declared) == (path != "/healthz")
            assert ({"403", "408", "413"} <= declared) == (method != "get")
