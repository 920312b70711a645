"""The report of a week, as a page to be printed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.languages import negotiate
from devices.instants import to_datetime
from devices.registry.errors import Invalid
from devices.texts.languages import Language
from people.roles import Permission
from work.figures.span import read_week
from work.weekly.page import STYLE, page_of
from work.weekly.paper import pdf_of
from work.weekly.reading import read_report

router = APIRouter(tags=["work"])

_STYLE = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT = f"default-src 'none'; style-src 'sha256-{_STYLE}'; base-uri 'none'; frame-ancestors 'none'"
"""The page has its style in itself, so that it can be kept and sent on as one file."""


@router.get(
    "/reports/weekly",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/pdf": {}}}},
    summary="The week's work as one page to be printed",
)
async def get_weekly_report(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    municipality: Annotated[str, Query(max_length=32)],
    week: Annotated[
        str | None,
        Query(max_length=8, examples=["2026-W48"], description="the last one that is over without it"),
    ] = None,
    lang: Annotated[Language | None, Query(description="wins over Accept-Language")] = None,
    format: Annotated[  # noqa: A002
        Literal["html", "pdf"], Query(description="pdf: where WeasyPrint is installed, else 409")
    ] = "html",
) -> Response:
    """Return the page. Who may not see names gets it without people and teams."""
    try:
        monday = read_week(week) if week is not None else None
    except ValueError as error:
        raise Invalid("week", str(error)) from None
    named = identity.may_in(Permission.READ_NAMES, municipality)
    found = await read_report(connection, municipality, monday, to_datetime(context.now()), named=named)
    page = page_of(found, lang or negotiate(request.headers.get("accept-language")))
    headers = {"Vary": "Accept-Language", "Content-Security-Policy": CONTENT}
    if format == "html":
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{found.town.name}-{found.name}.pdf"'
    return Response(await asyncio.to_thread(pdf_of, page), media_type="application/pdf", headers=headers)
