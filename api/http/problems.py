"""Problem details (RFC 9457): every error of the API as `application/problem+json`.

A problem's `type` is stable and for programs, its `title` is a sentence in the client's language, its
`detail` says what is wrong with this request. Must not know which route raised it, and never contains a
traceback.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, get_args

import msgspec
from starlette.responses import Response

from api.http.languages import negotiate
from devices.storable import storable_json
from devices.texts.catalogue import text
from devices.texts.languages import Language, isolated

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:nabd:problem:"

Slug = Literal[
    "already-exists", "bad-request", "changed-meanwhile", "conflict", "forbidden", "foreign-origin",
    "internal", "invalid", "method-not-allowed", "not-acceptable", "not-found", "range-too-wide",
    "timeout", "too-large", "too-many-attempts", "too-many-requests",
    "unauthorized", "unavailable", "unknown-alert", "unknown-device", "unsupported-media-type",
    "wrong-host",
]  # fmt: skip
"""The end of a problem's `type`. Its title is in the catalogue, under "problem"."""
SLUGS: tuple[Slug, ...] = get_args(Slug)

BY_STATUS: Mapping[int, Slug] = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "timeout",
    409: "conflict",
    412: "changed-meanwhile",
    413: "too-large",
    415: "unsupported-media-type",
    421: "wrong-host",
    422: "invalid",
    429: "too-many-attempts",
    500: "internal",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What people are told in their language: a key of the catalogue, and values for its placeholders."""

    key: str
    values: Mapping[str, str]


class Problem(Exception):
    """A request that cannot be served, and why.

    told: takes the place of the detail where it can be said in the client's language. `more` are further
    members of the problem object.
    """

    def __init__(
        self,
        status: int,
        slug: Slug,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        told: Told | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.told = told
        self.status = status
        self.slug = slug
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def render(problem: Problem, *, accept_language: str | None, instance: str) -> Response:
    """Return the response of a problem: its title in the client's language, its detail where it can be."""
    language = negotiate(accept_language)
    body = {
        "type": TYPE_PREFIX + problem.slug,
        "title": text(language, f"problem.{problem.slug}"),
        "status": problem.status,
        "detail": problem.detail if problem.told is None else _in_language(problem.told, language),
        "instance": instance,
        **problem.more,
    }
    headers = {"Content-Language": language, "Vary": "Accept-Language", **problem.headers}
    return Response(
        msgspec.json.encode(storable_json(body)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _in_language(told: Told, language: Language) -> str:
    return text(language, told.key, **{n: isolated(value, language) for n, value in told.values.items()})


def of_status(status: int, detail: str | None = None) -> Problem:
    """Return the general problem of an HTTP status."""
    slug = BY_STATUS.get(status, "bad-request" if status < 500 else "internal")
    return Problem(status, slug, detail or HTTPStatus(status).phrase)


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Return one problem that lists every parameter or member that is not acceptable."""
    listed = [_violation(error) for error in errors]
    first = listed[0]["detail"] if listed else "the request is not acceptable"
    return Problem(422, "invalid", first, errors=listed)


def _violation(error: Mapping[str, Any]) -> dict[str, str]:
    source, *path = [str(part) for part in error.get("loc", ("request",))]
    detail = f"{'.'.join(path) or source}: {error.get('msg', 'not acceptable')}"
    if source == "body":
        return {"pointer": "#/" + "/".join(path), "detail": detail}
    return {"parameter": ".".join(path), "in": source, "detail": detail}
