"""The audit: who changed what, and whether its chains are whole."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.context import AppContext, UsesConnection, UsesContext
from api.http import formats, pages
from api.http.formats import MEDIA_TYPES, Format
from api.http.pages import Fields, Limit, Page
from api.http.times import Asked, Instant
from people.audit import chains, listing
from people.audit.listing import AuditFilter, AuditRow

router = APIRouter(tags=["audit"])

LONGEST_S = 20.0
"""How long a verification may take before it answers with what it has found."""


class AuditRowOut(BaseModel):
    """One change of state. Every member but `municipality`, `who` and `hash` is what `hash` is made of."""

    id: int
    municipality_id: int | None
    municipality: str | None = Field(examples=["tripoli"], description="null: the whole platform")
    month: date = Field(description="first day of the chain's month")
    number: int = Field(description="place in the chain, from 1")
    changed_at: Instant
    principal_id: int
    who: str = Field(examples=["Rima"], description="as they are called now")
    address: str = Field(examples=["192.0.2.7"], description="from where")
    action: str = Field(examples=["device.retire"])
    subject: str = Field(examples=["bin-0007"])
    before: Any = Field(description="fields that differ, as they were; null: it was not there")
    after: Any
    previous: str = Field(description="hash of the row before it in its chain")
    hash: str


class ChainProblemOut(BaseModel):
    """What is wrong with one row of a chain, or with its end."""

    municipality: str | None
    month: date
    number: int | None
    id: int | None
    message: str


class ChainFindingsOut(BaseModel):
    """What was looked at, and what is wrong."""

    chains: int
    rows: int
    complete: bool = Field(description="false: time was over; ask for one municipality or month")
    problems: list[ChainProblemOut]


def _wanted(
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    who: Annotated[str | None, Query(max_length=100, description="a name, or a principal's number")] = None,
    subject: Annotated[str | None, Query(max_length=100)] = None,
    action: Annotated[str | None, Query(max_length=63, description="or its noun: device")] = None,
    since: Asked | None = None,
    until: Annotated[Asked | None, Query(description="not included")] = None,
) -> AuditFilter:
    return AuditFilter(
        municipality=municipality, who=who, subject=subject, action=action, since=since, until=until
    )


Wanted = Annotated[AuditFilter, Depends(_wanted)]


@router.get(
    "/audit",
    response_model=Page[AuditRowOut],
    responses={200: {"content": {"application/x-ndjson": {}}}},
    summary="List changes of state, newest first",
)
async def list_audit(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    wanted: Wanted,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
    format: Annotated[  # noqa: A002
        Literal["json", "ndjson"] | None, Query(description="wins over Accept")
    ] = None,
) -> Response:
    """Return who changed what, from where, before and after; as NDJSON every row, chain by chain."""
    form = Format(format) if format else formats.negotiate(request.headers.get("accept"))
    if form is Format.NDJSON:
        body = formats.as_ndjson(_exported(context, wanted))
        return StreamingResponse(body, media_type=MEDIA_TYPES[form], headers={"Vary": "Accept"})
    found = await listing.list_audit(connection, wanted, before=before, limit=limit + 1)
    items = [_row_out(row) for row in found]
    response = pages.answer(request, items, limit=limit, cursor=("before", "id"), fields=fields)
    response.headers["Vary"] = "Accept"
    return response


async def _exported(context: AppContext, wanted: AuditFilter) -> AsyncIterator[list[dict[str, Any]]]:
    # A connection a page, not an answer: a slow client must not hold one.
    async with context.long_query() as connection:
        wanted_chains = await listing.chains_of(connection, wanted)
    for chain in wanted_chains:
        last = 0
        while True:
            async with context.long_query() as connection:
                page = await listing.export_page(connection, wanted, chain, after=last)
            if not page:
                break
            yield [_row_out(row).model_dump(mode="json") for row in page]
            last = page[-1].number


@router.get("/audit/verify", summary="Say whether the audit is whole")
async def verify(
    context: UsesContext,
    municipality: Annotated[str | None, Query(max_length=32, description="only its chains")] = None,
    month: Annotated[str | None, Query(pattern=r"^[1-9]\d{3}-(0[1-9]|1[0-2])$", examples=["2026-11"])] = None,
) -> ChainFindingsOut:
    """Follow every chain from its first row to its last: edited, deleted, moved and cut off rows are found.

    That a chain was written anew shows only beside heads kept outside: `nabd audit verify`.
    """
    only = date.fromisoformat(f"{month}-01") if month else None
    deadline = time.monotonic() + LONGEST_S
    async with context.long_query() as connection:
        found = await chains.verify(
            connection, municipality=municipality, month=only, late=lambda: time.monotonic() > deadline
        )
    return ChainFindingsOut(
        chains=found.chains,
        rows=found.rows,
        complete=found.complete,
        problems=[
            ChainProblemOut(**{name: getattr(problem, name) for name in ChainProblemOut.model_fields})
            for problem in found.problems
        ],
    )


def _row_out(row: AuditRow) -> AuditRowOut:
    return AuditRowOut(**{name: getattr(row, name) for name in AuditRowOut.model_fields})
