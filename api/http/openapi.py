"""What OpenAPI says of every operation alike: which problems it may answer, and with what.

A route declares what only it does; guards, body, database and paging stand before and behind all of them, and
are described here once. Must not know single routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from api.http.parameters import API
from api.http.problems import BY_STATUS, MEDIA_TYPE

Operation = dict[str, Any]

ALWAYS = (400, 421, 500, 503)
IDENTIFIED = (401, 403, 429)
WITH_PARAMETERS = (422,)
"""Also of what has none: it refuses every one."""
WITH_BODY = (408, 413, 415, 422)
CHANGING = (403,)
NAMED = (404,)
"""What may be answered where a path, a parameter or a body names something."""
CHANGING_NAMED = (409, 412)
OPEN = frozenset({"/healthz"})


DESCRIPTIONS: Mapping[int, str] = {
    304: "unchanged since the ETag of If-None-Match",
    400: "the request cannot be understood",
    401: "no token or session, or one that is unknown or has ended",
    403: "your roles do not allow it; or a page of another site asks, which may change nothing",
    404: "there is nothing of that name",
    408: "the body did not arrive in time",
    409: "its state does not allow this",
    412: "it changed since it was read",
    413: "the body is too large",
    415: "the body is of another media type",
    421: "the server does not answer to that host name",
    422: "some of the request is not acceptable; `errors` lists it",
    429: "too many wrong tokens or passwords came from this address",
    500: "our mistake; the log has the details",
    503: "the database is away or busy",
}
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:nabd:problem:not-found"], "description": "stable"},
        "title": {"type": "string", "description": "in the language of Accept-Language: en, fr or ar"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong with this request"},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def describe(app: FastAPI) -> None:
    """Have the application's OpenAPI document say what every operation may answer."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    # FastAPI declares its own shape of a 422, which is never sent.
    for never_sent in ("HTTPValidationError", "ValidationError"):
        schemas.pop(never_sent, None)
    schemas["Problem"] = dict(PROBLEM)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            own = [int(status) for status in responses if int(status) in BY_STATUS]
            for status in (*statuses(path, method, operation), *own):
                declared = responses.get(str(status), {})
                responses[str(status)] = _response(status, declared)
    return document


def statuses(path: str, method: str, operation: Operation) -> Iterator[int]:
    """Yield the statuses of problems that an operation may answer, and 304 where lists have an ETag."""
    yield from ALWAYS
    if path not in OPEN:
        yield from IDENTIFIED
    if operation.get("parameters") or path.startswith(API):
        yield from WITH_PARAMETERS
    if _is_list(operation):
        yield 304
    if method != "get":
        yield from CHANGING
        yield from WITH_BODY
    if "{" in path or "/alerts" in path or operation.get("parameters") or method != "get":
        yield from NAMED
    if method != "get":
        yield from CHANGING_NAMED


def _is_list(operation: Operation) -> bool:
    """Tell whether an operation lists: only lists are answered with an ETag of all they say."""
    return str(operation.get("summary", "")).startswith("List ")


def _response(status: int, declared: Mapping[str, Any]) -> dict[str, Any]:
    if status == 304:
        return {"description": DESCRIPTIONS[304]}
    said = declared.get("description")
    generic = said in (None, "Validation Error", "")
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    kept = {
        k: v for k, v in (declared.get("content") or {}).items() if k != "application/json" or not generic
    }
    return {"description": DESCRIPTIONS[status] if generic else said, "content": {**kept, **content}}


assert set(DESCRIPTIONS) - {304} <= set(BY_STATUS)
