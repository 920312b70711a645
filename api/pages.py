"""Lists by page: keyset cursors, `Link: rel="next"`, chosen fields, `304` for an unchanged list.

Must not know what is listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from api.problems import Problem

MOST = 1000
CACHE = "private, no-cache"

Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]
Fields = Annotated[
    str | None, Query(max_length=500, description="members to keep, separated by commas; all without it")
]

Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(default=None, description="address of the next page; null on the last one")


def answer(
    request: Request,
    found: Sequence[Item],
    *,
    limit: int,
    parameter: str,
    cursor: str | None,
    fields: str | None = None,
) -> Response:
    """Return a page as a response.

    Args:
        request: whose address the next page's address is made from.
        found: the page, and one more when there is a next page.
        limit: how many were asked for.
        parameter: the query parameter that carries the cursor.
        cursor: the cursor of the last item on this page; `cursor_of` finds that item.
        fields: members to keep, separated by commas.
    """
    items = [item.model_dump(mode="json") for item in found[:limit]]
    following = None
    if len(found) > limit and cursor is not None:
        url = request.url.include_query_params(**{parameter: cursor})
        following = f"{url.path}?{url.query}"
    if fields is not None:
        items = [_keep(item, fields) for item in items]
    response = tagged(request, msgspec.json.encode({"items": items, "next": following}))
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def last_of(found: Sequence[Item], limit: int) -> Item | None:
    """Return the last item that fits the page."""
    return found[min(limit, len(found)) - 1] if found else None


def tagged(request: Request, body: bytes) -> Response:
    """Return a JSON body with its ETag, or 304 when the reader has it already."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": CACHE}
    known = request.headers.get("if-none-match", "")
    if tag in [part.strip() for part in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _keep(item: dict[str, Any], fields: str) -> dict[str, Any]:
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    if not wanted:
        return item
    unknown = [name for name in wanted if name not in item]
    if unknown:
        known = ", ".join(item)
        raise Problem(422, "invalid", f"fields: {unknown[0]!r} is none of {known}")
    return {name: item[name] for name in wanted}
