"""The questions that screens and panels ask, each timed some times."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from devices.instants import to_datetime
from devices.kinds import Kinds
from readings.rollups.buckets import buckets
from readings.rollups.statistics import Span, StatisticsQuery, statistics
from store.connection import Connection
from store.pool import plan_by_values

RUNS = 20
YEAR, DAY = timedelta(days=365), timedelta(days=1)
SPANS = {"24h": DAY, "1y": YEAR}

PANELS = {
    "panel: energy by day": (
        "SELECT day, sum(energy_kwh_grown) FROM v_light_day WHERE at >= $1 AND at < $2"
        " GROUP BY day ORDER BY day"
    ),
    "panel: fullest bins by day": (
        "SELECT day, avg(fill_pct_avg), max(fill_pct_max) FROM v_bin_day WHERE at >= $1 AND at < $2"
        " GROUP BY day ORDER BY day"
    ),
    "panel: completeness by day": (
        "SELECT day, sum(readings) / sum(expected) FROM v_light_day WHERE at >= $1 AND at < $2"
        " GROUP BY day ORDER BY day"
    ),
}
LIGHTS = "SELECT id FROM device WHERE kind = 'light' ORDER BY id"
LATEST = "SELECT device, observed_at, measurements FROM v_device"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionResult:
    """How long a question took. rows: of the last answer."""

    name: str
    span: str
    p50_ms: float
    p95_ms: float
    rows: int


Ask = Callable[[], Awaitable[Sequence[Any]]]


async def ask_all(connection: Connection, declared: Kinds, end: int) -> list[QuestionResult]:
    """Ask every question about the day and the year before `end`."""
    await plan_by_values(connection)  # as the API does
    found = []
    for span, length in SPANS.items():
        until = to_datetime(end)
        for name, ask in (await _questions(connection, declared, until - length, until)).items():
            found.append(await _timed(name, span, ask))
    found.append(await _timed("latest state of every device", "now", lambda: connection.fetch(LATEST)))
    return found


async def _questions(
    connection: Connection, declared: Kinds, since: datetime, until: datetime
) -> Mapping[str, Ask]:
    light = declared["light"]
    ids = [row["id"] for row in await connection.fetch(LIGHTS)]
    random = Random(1)  # noqa: S311 - which device is asked about
    unit = "hour" if until - since <= DAY else "day"

    async def of_device() -> Sequence[Any]:
        return await buckets(
            connection,
            light,
            random.choice(ids),
            measurements=["power_w", "energy_kwh"],
            start=since,
            end=until,
            unit=unit,
            time_zone="Asia/Beirut",
        )

    async def by_circuit() -> Sequence[Any]:
        query = StatisticsQuery(
            since=since.date(),
            until=until.date(),
            measurements=["energy_kwh"],
            span=Span.NIGHT if unit == "hour" else Span.DAY,
            group="circuit",
        )
        return await statistics(connection, light, query, until)

    def panel(statement: str) -> Ask:
        return lambda: connection.fetch(statement, since, until)

    return {
        f"a device by {unit}": of_device,
        "energy by circuit": by_circuit,
        **{name: panel(statement) for name, statement in PANELS.items()},
    }


async def _timed(name: str, span: str, ask: Ask) -> QuestionResult:
    took = []
    rows: Sequence[Any] = ()
    for _ in range(RUNS):
        began = time.perf_counter()
        rows = await ask()
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return QuestionResult(
        name=name,
        span=span,
        p50_ms=round(took[RUNS // 2], 2),
        p95_ms=round(took[min(RUNS - 1, RUNS * 95 // 100)], 2),
        rows=len(rows),
    )
