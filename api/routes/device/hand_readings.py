"""Readings that people enter by hand: kept with who says so, sent to ingest, answered once committed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, UsesConnection, UsesContext, UsesIdentity
from api.http import pages
from api.http.pages import Limit, Page
from api.http.problems import Problem, Told
from api.http.times import Asked, Instant
from api.routes.incoming.answers import later, outcomes_of
from api.schemas.words import NO_CONTROL
from devices.kinds.kind import TEXT_LIMIT
from devices.registry.registry import get_device
from devices.relay import Outcome
from devices.wire import Reason
from devices.wire.topics import hand_gateway
from people.identity import Identity
from people.roles import Permission
from readings.by_hand import entries
from readings.by_hand.entries import NOTE_LENGTH, CounterReset, HandReading, NewHandReading

router = APIRouter(tags=["readings"])

Name = Annotated[str, Path(max_length=64)]
Said = bool | float | Annotated[str, Field(max_length=TEXT_LIMIT, pattern=NO_CONTROL)] | None


class HandReadingIn(BaseModel):
    """What somebody read off a device."""

    model_config = ConfigDict(extra="forbid")

    measurements: dict[str, Said] = Field(
        min_length=1,
        max_length=100,
        examples=[{"fill_pct": 55}],
        description="by name, in the units of the kind; `by_hand` of the kind says which",
    )
    observed_at: Asked | None = Field(
        default=None, description="when; now without it. With it nothing is stored twice that is sent again"
    )
    note: str = Field(default="", max_length=NOTE_LENGTH, pattern=NO_CONTROL)
    reset: bool = Field(
        default=False, description="a counter may be less than it was: the meter was replaced"
    )


class HandReadingOut(BaseModel):
    """A stored reading that somebody entered. author, note: null for who may not see names."""

    id: int = Field(description="the reading carries it as `extra.by_hand`")
    device: str = Field(examples=["bin-0007"])
    observed_at: Instant
    measurements: dict[str, bool | float | str] = Field(examples=[{"fill_pct": 55}])
    author: str | None = Field(examples=["rima"])
    entered_at: Instant
    note: str | None


@router.get(
    "/devices/{device}/hand-readings",
    response_model=Page[HandReadingOut],
    summary="Readings that people entered",
)
async def list_device_hand_readings(
    request: Request,
    device: Name,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    start: Annotated[Asked | None, Query(description="first instant")] = None,
    end: Annotated[Asked | None, Query(description="first instant left out")] = None,
    before: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="cursor: the last id of the page before")
    ] = None,
    limit: Limit = 100,
) -> Response:
    """Return what people entered of a device and is stored, the last observed first."""
    known = await get_device(connection, device)
    found = await entries.list_hand_readings(
        connection, context.kinds, known, start=start, end=end, before=before, limit=limit + 1
    )
    items = [_out(identity, known.municipality, one) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"))


@router.post(
    "/devices/{device}/hand-readings",
    status_code=201,
    responses={
        409: {"description": "another reading of this instant is stored, or a counter fell (`confirm`)"},
        503: {"description": "not committed yet: send the same again, with the same `observed_at`"},
    },
    summary="Enter a reading by hand",
)
async def enter_hand_reading(
    device: Name, context: UsesContext, identity: UsesIdentity, actor: UsesActor, body: HandReadingIn
) -> HandReadingOut:
    """Take a reading that a person makes, as the device's own: rules judge it, charts show it.

    Answered when it is committed. `extra.by_hand` of the reading is the number of who, when and why.
    """
    if context.relaying is None:
        raise later("there is no broker: NABD_BROKER names none")
    new = NewHandReading(
        measurements=body.measurements, observed_at=body.observed_at, note=body.note, reset=body.reset
    )
    # No connection is held while ingest commits.
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        known = await get_device(connection, device)
        try:
            entry = await entries.enter(connection, context.kinds, known, new, context.now, by=actor)
        except CounterReset as error:
            raise _fallen(error) from None
    if entry.stored_at is None:
        [outcome] = await outcomes_of(context, hand_gateway(known.municipality), [entry.element(known)])
        async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
            await entries.settle(connection, known, entry, outcome.reason, context.now, by=actor)
        if not outcome.settled:
            raise _refused(outcome, known.name)
    return _out(identity, known.municipality, entry)


def _fallen(error: CounterReset) -> Problem:
    at_fault: dict[str, Any] = {
        "pointer": f"#/measurements/{error.measurement}",
        "last": error.last,
        "value": error.value,
    }
    told = Told(key=error.key, values=error.values)
    return Problem(409, "conflict", str(error), told=told, confirm="reset", errors=[at_fault])


def _refused(outcome: Outcome, device: str) -> Problem:
    """Return the problem of what ingest rejected; `reason` as docs/protocol.md explains."""
    reason = Reason(outcome.reason or Reason.INTERNAL)
    more: dict[str, Any] = {"reason": reason, "pointer": outcome.pointer}
    if reason is Reason.CONFLICT:
        told = Told(key="conflict.reading_there", values={"device": device})
        return Problem(409, "conflict", "another reading of this instant is stored", told=told, **more)
    told = Told(key=f"console.rejected_{reason}", values={})
    return Problem(422, "invalid", f"rejected: {reason} {outcome.pointer}".rstrip(), told=told, **more)


def _out(identity: Identity, municipality: str, entry: HandReading) -> HandReadingOut:
    named = identity.may_in(Permission.READ_NAMES, municipality)
    return HandReadingOut(
        id=entry.id,
        device=entry.device,
        observed_at=entry.observed_at,
        measurements=dict(entry.measurements),
        author=entry.author if named else None,
        entered_at=entry.entered_at,
        note=entry.note if named else None,
    )
