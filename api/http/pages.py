"""Lists by page: keyset cursors, `Link: rel="next"`, chosen fields, `304` for an unchanged list.

Must not know what is listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from api.http.problems import Problem

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
    cursor: tuple[str, str | Callable[[int], str]],
    fields: str | None = None,
) -> Response:
    """Return a page as a response.

    Args:
        request: its address is that of the next page with another cursor.
        found: the page, and one more when there is a next page.
        limit: how many were asked for.
        cursor: a query parameter, and the member of the last item that goes into it, or what gives the text
            that does by the place of that item.
        fields: members to keep, separated by commas.
    """
    items = [item.model_dump(mode="json") for item in found[:limit]]
    following = None
    if len(found) > limit:
        parameter, member = cursor
        value = items[-1][member] if isinstance(member, str) else member(limit - 1)
        url = request.url.include_query_params(**{parameter: value})
        following = f"{url.path}?{url.query}"
    if fields is not None:
        items = [_keep(item, fields) for item in items]
    response = tagged(request, msgspec.json.encode({"items": items, "next": following}))
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def tagged(request: Request, body: bytes, media_type: str = "application/json") -> Response:
    """Return a JSON body with its ETag, or 304 when the client has it already."""
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": CACHE}
    known = request.headers.get("if-none-match", "")
    if tag in [part.strip() for part in known.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def wanted_version(if_match: str | None, digits: int = 9) -> int | None:
    """Return the version that If-Match names; None where any is accepted. digits: a version has at most.

    Raises:
        Problem: it is not an ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > digits:
        raise Problem(412, "changed-meanwhile", "If-Match: is not an ETag that was given here")
    return int(text)


def _keep(item: dict[str, Any], fields: str) -> dict[str, Any]:
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    if not wanted:
        return item
    unknown = [name for name in wanted if name not in item]
    if unknown:
        known = ", ".join(item)
        raise Problem(422, "invalid", f"fields: {unknown[0]!r} is none of {known}")
    return {name: item[name] for name in wanted}
