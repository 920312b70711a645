"""The newest reading of a device as the API shows it, in lists and in the live stream alike."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.http.times import Instant
from devices.kinds import Kinds
from readings.history import suspect
from readings.latest import Latest


class LatestOut(BaseModel):
    """The newest reading of one device; values named in `suspect` are stored but not believed."""

    device: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    district: str | None = Field(default=None, description="code of the one in which the device stands")
    observed_at: Instant
    received_at: Instant
    interval_s: float = Field(description="how soon after received_at the next reading is expected")
    quality: int = Field(description="bit field, 0 is good")
    suspect: list[str] = []
    measurements: dict[str, Any] = Field(examples=[{"fill_pct": 61.5, "temperature_c": 24.0}])


def latest_out(kinds: Kinds, latest: Latest) -> LatestOut:
    """Return a newest reading as shown; without suspects where the kind is no longer declared."""
    kind = kinds.get(latest.kind)
    return LatestOut(
        device=latest.device,
        kind=latest.kind,
        municipality=latest.municipality,
        district=latest.district,
        observed_at=latest.observed_at,
        received_at=latest.received_at,
        interval_s=latest.interval_s,
        quality=latest.quality,
        suspect=list(suspect(kind, latest.quality)) if kind else [],
        measurements=dict(latest.measurements),
    )
