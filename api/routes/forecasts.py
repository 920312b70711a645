"""When a device will be full."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.context import UsesConnection
from api.http.times import Instant
from devices.registry import registry
from rules.forecast import stored

router = APIRouter(tags=["devices"])


class ForecastOut(BaseModel):
    """What one rule expects of one device."""

    rule: str = Field(examples=["bin-full-soon"])
    measurement: str = Field(examples=["fill_pct"])
    reaches: float = Field(description="the level that is forecast", examples=[85])
    observed_at: Instant = Field(description="the reading it rests on")
    emptied_at: Instant | None
    level: float | None = Field(description="at that reading, noise taken out")
    rate_per_h: float | None = Field(description="how fast it fills; null while unknown")
    p50_at: Instant | None = Field(description="reached as likely before as after; null: not in sixty days")
    p80_at: Instant | None = Field(description="reached by then with four chances in five")
    samples: int = Field(description="how many readings the rate rests on")


@router.get("/devices/{device}/forecasts", summary="When a device will be full")
async def list_forecasts(device: str, connection: UsesConnection) -> list[ForecastOut]:
    """Return what the rules in force expect of a device; nothing when none forecasts its kind."""
    await registry.get_device(connection, device)
    found = await stored.of_device(connection, device)
    return [ForecastOut(**{name: getattr(one, name) for name in ForecastOut.model_fields}) for one in found]
