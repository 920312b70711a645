"""Forecasts as people meet them: when a device will be full, and what that rests on. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredForecast:
    """What one rule expects of one device.

    reaches, measurement: what is forecast. observed_at: of its newest reading. level: then, noise taken out.
    rate_per_h: robust, since emptied_at; None while unknown. p50_at, p80_at: as likely before as after, and
    with four chances in five before; None: not within sixty days, or unknown.
    """

    device: str
    rule: str
    measurement: str
    reaches: float
    observed_at: datetime
    emptied_at: datetime | None
    level: float | None
    rate_per_h: float | None
    p50_at: datetime | None
    p80_at: datetime | None
    samples: int


LIST_FORECASTS = """
SELECT device.name AS device, forecast.rule, rule.measurement, rule.reaches, forecast.observed_at,
    forecast.emptied_at, forecast.level, forecast.rate_per_h, forecast.p50_at, forecast.p80_at,
    forecast.samples
FROM forecast
INNER JOIN device ON forecast.device_id = device.id
INNER JOIN rule ON forecast.rule = rule.id AND rule.active AND rule.family = 'forecast'
WHERE device.name = $1
ORDER BY forecast.rule
"""


async def of_device(connection: Connection, device: str) -> list[StoredForecast]:
    """Return the forecasts of a device by the rules in force, none when there is no such device."""
    return [StoredForecast(**dict(row)) for row in await connection.fetch(LIST_FORECASTS, device)]
