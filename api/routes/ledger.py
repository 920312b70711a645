"""The ledger: received = stored + merged + duplicate + rejected."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import UsesConnection, UsesContext, UsesLongConnection
from api.http.problems import Problem
from api.http.times import Asked, Instant
from devices.instants import to_datetime
from devices.registry import registry
from devices.registry.registry import Device
from readings import balance, ledger, said_names
from readings.ledger import Totals

router = APIRouter(tags=["ledger"])

MOST_PERIODS = 1000


class Every(StrEnum):
    """Length of a period."""

    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


LENGTHS = {
    Every.MINUTE: timedelta(minutes=1),
    Every.HOUR: timedelta(hours=1),
    Every.DAY: timedelta(days=1),
}


class TotalsOut(BaseModel):
    """Counts of readings; a message that cannot be decoded counts one. `reasons` splits `rejected`."""

    received: int = Field(examples=[1200])
    stored: int = Field(examples=[1180])
    merged: int = Field(examples=[0], description="parts that filled readings which were stored already")
    duplicate: int = Field(examples=[15])
    rejected: int = Field(examples=[5])
    undated: int | None = Field(default=None, description="stored without a usable device time")
    empty: int | None = Field(default=None, description="stored without any measurement")
    messages: int | None = None
    reasons: dict[str, int] = Field(examples=[{"bad_value": 3, "unknown_device": 2}])
    balanced: bool = Field(
        description="received = stored + merged + duplicate + rejected, and the reasons add up"
    )


class PeriodOut(BaseModel):
    """The totals of one period of receive time."""

    start: Instant
    totals: TotalsOut


class NamesOut(BaseModel):
    """What a device's readings call their values: names, each with how many readings carry it."""

    measured: dict[str, int] = Field(description="measurements of its kind", examples=[{"fill_pct": 118}])
    extra: dict[str, int] = Field(description="names of nobody's, kept", examples=[{"batteryVoltage": 118}])
    hints: dict[str, str] = Field(
        description="what such a name probably means", examples=[{"batteryVoltage": "battery_v, in V?"}]
    )


class LedgerOut(BaseModel):
    """Totals, the periods they consist of when asked for, and the names that one device sends."""

    totals: TotalsOut
    periods: list[PeriodOut] = []
    names: NamesOut | None = None


Since = Annotated[Asked | None, Query(description="receive time from which on, RFC 3339")]
Until = Annotated[Asked | None, Query(description="receive time before which, RFC 3339")]


@router.get("/ledger", summary="What was received, and what became of it")
async def read_ledger(
    connection: UsesLongConnection,
    context: UsesContext,
    device: Annotated[str | None, Query(max_length=64)] = None,
    since: Since = None,
    until: Until = None,
    every: Annotated[Every | None, Query(description="also split by period; needs `since`")] = None,
) -> LedgerOut:
    """Return the totals of the platform, or of one device."""
    if device is not None:
        found = await registry.get_device(connection, device)
        totals = await balance.of_device(connection, context.kinds, found, since=since, until=until)
        return LedgerOut(
            totals=_totals_out(totals), names=await _names(connection, context, found, since, until)
        )
    totals = await ledger.total(connection, since=since, until=until)
    if every is None:
        return LedgerOut(totals=_totals_out(totals))
    _check_periods(since, until, every)
    periods = await ledger.by_period(connection, every=LENGTHS[every], since=since, until=until)
    shown = [PeriodOut(start=p.start, totals=_totals_out(p.totals)) for p in periods[:MOST_PERIODS]]
    return LedgerOut(totals=_totals_out(totals), periods=shown)


async def _names(
    connection: UsesConnection,
    context: UsesContext,
    device: Device,
    since: datetime | None,
    until: datetime | None,
) -> NamesOut | None:
    kind = context.kinds.get(device.kind)
    if kind is None:
        return None
    end = until or to_datetime(context.now())
    found = await said_names.of_device(connection, kind, device.id, since=since, until=end)
    return NamesOut(measured=dict(found.measured), extra=dict(found.extra), hints=dict(found.hints))


def _check_periods(since: datetime | None, until: datetime | None, every: Every) -> None:
    if since is None or until is None:
        raise Problem(422, "invalid", "every: needs since and until")
    if until - since > LENGTHS[every] * MOST_PERIODS:
        raise Problem(422, "range-too-wide", f"at most {MOST_PERIODS} periods; use a longer one")


def _totals_out(totals: Totals) -> TotalsOut:
    return TotalsOut(
        received=totals.received,
        stored=totals.stored,
        merged=totals.merged,
        duplicate=totals.duplicate,
        rejected=totals.rejected,
        undated=totals.undated,
        empty=totals.empty,
        messages=totals.messages,
        reasons=dict(totals.reasons),
        balanced=totals.balanced,
    )
