"""The limits that rules hold a device's measurements against, as lines of a chart."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from alerts.transition import Severity
from api.context import UsesConnection, UsesContext
from devices.registry.registry import get_device
from rules.explain.limits import LimitSide, device_limits

router = APIRouter(tags=["rules"])


class RuleLimitOut(BaseModel):
    """While the measurement is on this side of the value, the rule may fire."""

    model_config = ConfigDict(from_attributes=True)

    rule: str = Field(examples=["bin-overflow"])
    severity: Severity
    measurement: str = Field(examples=["fill_pct"])
    side: LimitSide
    value: float = Field(examples=[85.0], description="in the measurement's unit")


class RuleLimitsOut(BaseModel):
    """All of them, by rule."""

    items: list[RuleLimitOut]


@router.get("/devices/{device}/limits", summary="Limits that rules hold a device against")
async def list_limits(
    device: Annotated[str, Path(max_length=64)], context: UsesContext, connection: UsesConnection
) -> RuleLimitsOut:
    """Return the limits of rules in force that can be said as one number; the device's attributes count."""
    found = await get_device(connection, device)
    kind = context.kinds.get(found.kind)
    limits = [] if kind is None else await device_limits(connection, kind, found)
    return RuleLimitsOut(items=[RuleLimitOut.model_validate(one) for one in limits])
