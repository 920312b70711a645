"""A history: readings stored as they were received, and the live sweep through the same minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from readings.latest import LatestColumns, flush
from rules.loading.files import parse
from rules.trial.findings import Findings
from rules.trial.history_trial import prepare
from tests.integration.rules.sweeps.sweeping import KINDS, NOON, instant, sweep
from tests.integration.rules.town import MINUTE

START = NOON - 60 * MINUTE


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One reading; minutes after NOON. received: as it was observed unless told otherwise."""

    device: int
    minute: float
    received: float | None = None
    values: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def received_minute(self) -> float:
        return self.minute if self.received is None else self.received


def sent(device: int, *minutes: float, **values: float | None) -> list[Sent]:
    """Return readings of one device with the same values."""
    return [Sent(device=device, minute=minute, values=values) for minute in minutes]


async def store(connection: asyncpg.Connection, kind: str, readings: Sequence[Sent]) -> None:
    """Store readings, as ingest would have."""
    names = sorted({name for reading in readings for name in reading.values})
    columns = "".join(f", {name}" for name in names)
    places = "".join(f", ${number}" for number in range(4, 4 + len(names)))
    await connection.executemany(
        f"INSERT INTO {kind}_reading (device_id, observed_at, received_at, quality{columns})"
        f" VALUES ($1, $2, $3, 0{places})",
        [
            (r.device, instant(r.minute), instant(r.received_minute), *(r.values.get(n) for n in names))
            for r in readings
        ],
    )


async def live_through(
    connection: asyncpg.Connection,
    kind: str,
    readings: Sequence[Sent],
    until: int,
    *,
    interval_s: float = 600,
) -> None:
    """Let readings come in and the live rules sweep every minute."""
    for minute in range(until + 1):
        came = [r for r in readings if minute - 1 < r.received_minute <= minute]
        await store(connection, kind, came)
        for reading in sorted(came, key=lambda r: (r.received_minute, r.minute)):
            await _note_latest(connection, reading, interval_s)
        await sweep(connection, minute)


async def _note_latest(connection: asyncpg.Connection, reading: Sent, interval_s: float) -> None:
    rows = LatestColumns(
        device_id=[reading.device],
        observed_at=[NOON + round(reading.minute * MINUTE)],
        received_at=[NOON + round(reading.received_minute * MINUTE)],
        interval_s=[interval_s],
        quality=[0],
        measurements=[{name: value for name, value in reading.values.items() if value is not None}],
    )
    await flush(connection, rows)


async def tried(
    connection: asyncpg.Connection, text: str, until: float, *, start: int = START, device: str | None = None
) -> list[Findings]:
    """Return what a test of rules finds until a minute; their sentences are added."""
    sentences = '  summary: {en: "{device}", fr: "{device}", ar: "{device}"}\n'
    definitions = parse(text + sentences, KINDS)
    end = NOON + round(until * MINUTE)
    trial = await prepare(connection, KINDS, definitions, start=start, end=end, device=device)
    for one in trial.passes:
        async for _ in one.run(connection):
            pass
    assert trial.until == end
    return await trial.findings(connection)


def minutes(found: Findings) -> list[tuple[str, float, float | None]]:
    """Return device, and the minutes in which each alert opened and ended."""
    noon = instant(0)
    return [
        (
            alert.device,
            round((alert.opened_at - noon).total_seconds() / 60, 2),
            None if alert.ended_at is None else round((alert.ended_at - noon).total_seconds() / 60, 2),
        )
        for alert in found.alerts
    ]
