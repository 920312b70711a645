"""Rules that cannot be decided on a device."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import UsesContext, UsesIdentity, UsesLongConnection
from api.http.times import Instant
from people.roles import Permission
from rules.catalogue.blind import blind_rules

router = APIRouter(tags=["rules"])


class BlindRuleOut(BaseModel):
    """A rule that could not be decided on a device for a day, or ten of its intervals."""

    rule: str = Field(examples=["bin-fire"])
    device: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    missing: tuple[str, ...] = Field(description="what it lacks for it", examples=[["temperature_c"]])
    since: Instant = Field(description="at least since then")


@router.get("/blind-rules", summary="List rules that cannot be decided on a device")
async def list_blind_rules(
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    rule: Annotated[str | None, Query(max_length=63)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    after: Annotated[str | None, Query(max_length=64, description="a device: those behind it")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="devices of each kind to look at")] = 100,
) -> list[BlindRuleOut]:
    """Return rules in force by device; what its newest reading does not lack cannot be blind."""
    found = await blind_rules(
        connection,
        context.kinds,
        context.now(),
        rule=rule,
        device=device,
        after=after,
        limit=limit,
        within=identity.towns(Permission.READ),
    )
    return [BlindRuleOut(**{name: getattr(b, name) for name in BlindRuleOut.model_fields}) for b in found]
