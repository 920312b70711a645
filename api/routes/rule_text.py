"""The text of rules in a request's body: checked, every mistake with line and column. No route lives here."""

from __future__ import annotations

import asyncio
from typing import Any

import yaml
from fastapi import Request

from api.context import AppContext
from api.http.problems import Problem
from api.schemas.rules import EXAMPLE
from devices.registry.errors import Invalid
from rules.definition.definition import Definition
from rules.definition.errors import RulesRefused
from rules.loading.files import parse

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the rule as in a rule file, in JSON or YAML",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": EXAMPLE},
            "application/yaml": {
                "schema": {"type": "string"},
                "example": yaml.safe_dump(dict(EXAMPLE), sort_keys=False, allow_unicode=True),
            },
        },
    }
}
"""The schema of a body that is read as text, so that mistakes have their line and column."""


async def definitions(request: Request, context: AppContext) -> list[Definition]:
    """Return the rules of a request's body.

    Raises:
        Problem: every mistake with line, column and what was probably meant.
    """
    try:
        text = (await request.body()).decode()
        # Reading YAML takes long enough to hold up everybody else.
        return await asyncio.to_thread(parse, text, context.kinds)
    except UnicodeDecodeError:
        raise Problem(400, "bad-request", "the body is not UTF-8") from None
    except RulesRefused as refused:
        raise refusal(refused) from refused


def refusal(refused: RulesRefused) -> Problem:
    """Return the problem that lists every mistake of a rule."""
    listed = [
        {"detail": e.message, "line": e.line, "column": e.column, "suggestion": e.suggestion}
        for e in refused.errors
    ]
    return Problem(422, "invalid", str(refused.errors[0]), errors=listed)


async def definition(request: Request, context: AppContext, rule: str) -> Definition:
    """Return the one rule of a request's body, which must be the one that the address names."""
    found = await definitions(request, context)
    if len(found) != 1 or found[0].id != rule:
        raise Invalid("id", f"the body must be the one rule {rule}")
    return found[0]
