"""What was not stored, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.context import UsesIdentity, UsesLongConnection
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.times import Instant
from devices.wire import raw
from people.roles import Permission
from readings import rejections
from readings.rejections import Rejection

router = APIRouter(tags=["rejections"])

PAYLOAD_SHOWN = 4096
"""Characters of a payload that a list shows."""


class RejectionOut(BaseModel):
    """One thing refused; `payload` is its beginning as text, bytes that are no UTF-8 replaced."""

    id: int
    received_at: Instant
    topic: str = Field(examples=["nabd/v1/tripoli/bin/bin-0007/telemetry"])
    device: str = Field(examples=["bin-0007"])
    reason: str = Field(examples=["bad_value"])
    pointer: str = Field(examples=["/0/fill_pct"])
    detail: str = Field(examples=["expected a number"])
    payload: str = Field(examples=['{"ts": 1767225600000, "fill_pct": "full"}'])
    payload_bytes: int
    sent: str | None = Field(
        None,
        description="What the device sent, where a gateway handed it along: text, else hexadecimal after 0x.",
        examples=["0x01750f036701010482f804"],
    )
    replayed_at: Instant | None = None


@router.get("/rejections", response_model=Page[RejectionOut], summary="List rejections, newest first")
async def list_rejections(
    request: Request,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    device: Annotated[str | None, Query(max_length=128)] = None,
    reason: Annotated[str | None, Query(max_length=40)] = None,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return rejections, newest first."""
    found = await rejections.list_rejections(
        connection,
        device=device,
        reason=reason,
        municipality=municipality,
        before=before,
        limit=limit + 1,
        within=identity.towns(Permission.READ),
    )
    items = [_rejection_out(rejection) for rejection in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"), fields=fields)


def _rejection_out(rejection: Rejection) -> RejectionOut:
    sent = raw.sent_by_device(rejection.payload)
    return RejectionOut(
        id=rejection.id,
        received_at=rejection.received_at,
        topic=rejection.topic,
        device=rejection.device,
        reason=rejection.reason,
        pointer=rejection.pointer,
        detail=rejection.detail,
        payload=rejection.payload.decode("utf-8", "replace")[:PAYLOAD_SHOWN],
        payload_bytes=len(rejection.payload),
        sent=None if sent is None else raw.shown(sent),
        replayed_at=rejection.replayed_at,
    )
