"""Stage long: one rate for half an hour: does memory grow, are the last minutes like the first?

The generator sends the same messages lap after lap, each lap with the times of its own: half an hour of
messages would fill its memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.throughput import children, drain, open_loop, usage
from bench.throughput.children import child
from bench.throughput.fleet import BenchFleet
from bench.throughput.rig import Rig
from bench.throughput.traffic import make_stream
from devices import kinds
from devices.instants import to_datetime
from nabd import clock
from nabd.demo.percentiles import percentiles
from readings import balance, ledger
from readings.tables import table_of
from store.connection import Connection
from store.pool import connect

LAP_S = 10.0
WINDOW_S = 300.0
"""What is compared with each other: the first five minutes and the last, or thirds of a shorter run."""
SAMPLED = 360
"""How often memory is looked at in a run."""
WARM = 0.2
"""The share of a run before memory is expected to stay: caches and tables fill until then."""
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306)
"""Student's t at 95 %, two-sided, by degrees of freedom from 1 on."""
BLOCKS = len(T_95) + 2
"""A sample is much like the one before it; the means of so many stretches of a run are not."""
TIMED = 100_000
"""Of so many readings of a window the latency is looked at, those of some devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRun:
    """One run. Milliseconds from the intended instant to the commit, in the first and in the last window.

    growth_mb_per_h: the slope of ingest's memory by least squares, after its first fifth; growth_95: half the
    width of its 95 % interval, None for a run too short to tell. memory_mb: at the end.
    """

    seconds: float
    percent_of_drain: float
    rate: float
    sent: int
    stored: int
    merged: int
    duplicates: int
    rejected: int
    lost: int
    window_s: float
    first_ms: dict[str, float | None]
    last_ms: dict[str, float | None]
    generator_late_ms: float
    growth_mb_per_h: float
    growth_95: float | None
    memory_mb: float


async def run(
    rig: Rig,
    dsn: str,
    fleet: BenchFleet,
    *,
    rate: float,
    seconds: float,
    percent: float,
    seed: int,
    name: str,
) -> LongRun:
    """Start ingest, send at `rate` for `seconds`, wait for the last commit, and read what it was like."""
    directory, log = rig.directory / name, (rig.directory / name).with_suffix(".log")
    lap_s = min(LAP_S, seconds)
    laps = max(1, round(seconds / lap_s))
    with rig.broker() as broker:
        async with child(drain.ingest_command(), log, drain.settings_of(dsn, broker)) as process:
            await drain.until_said(process, log, drain.SUBSCRIBED)
            begin = clock.wall() + 5_000_000 + int(rate * lap_s * 20)
            stream = make_stream(fleet, seed=seed, at=open_loop.schedule(rate, lap_s, begin))
            samples: list[tuple[float, float]] = []
            sampling = asyncio.create_task(_sample(process.pid, seconds / SAMPLED, samples))
            try:
                sent = await children.publish(
                    directory,
                    stream,
                    host=broker.address.host,
                    port=broker.address.port,
                    open_loop=True,
                    laps=laps,
                    lap_us=int(lap_s * 1e6),
                )
            finally:
                sampling.cancel()
            connection = await connect(dsn, statement_timeout_s=0)
            try:
                await drain.until_counted(connection, process, log, len(stream) * laps)
                memory = usage.memory_mb(process.pid)
                totals = await ledger.total(connection)
                stored = await balance.count_readings(connection, kinds.load())
                window_s = min(WINDOW_S, lap_s * laps / 3)
                first = await _latencies(connection, begin, window_s, rate)
                end = begin + int((lap_s * laps - window_s) * 1e6)
                last = await _latencies(connection, end, window_s, rate)
            finally:
                await connection.close()
    slope, half = growth(np.array(samples))
    readings = stream.readings * laps
    return LongRun(
        seconds=lap_s * laps,
        percent_of_drain=percent,
        rate=round(rate),
        sent=readings,
        stored=stored,
        merged=totals.merged,
        duplicates=totals.duplicate,
        rejected=totals.rejected,
        lost=readings - stored - totals.merged - totals.duplicate - totals.rejected,
        window_s=round(window_s, 1),
        first_ms=first,
        last_ms=last,
        generator_late_ms=round(sent.late_ms, 1),
        growth_mb_per_h=round(slope, 2),
        growth_95=None if half is None else round(half, 2),
        memory_mb=round(memory),
    )


async def _sample(pid: int, every_s: float, samples: list[tuple[float, float]]) -> None:
    """Note a process's memory again and again: seconds, MB."""
    clock_s = asyncio.get_running_loop().time
    while True:
        samples.append((clock_s(), usage.memory_mb(pid)))
        await asyncio.sleep(every_s)


def growth(samples: NDArray[np.float64]) -> tuple[float, float | None]:
    """Return the slope of memory in MB an hour, and half the width of its 95 % interval; None of few samples.

    Args:
        samples: (n, 2) seconds and MB, in order. What the first fifth of the time says is left out.
    """
    warm = samples[0, 0] + WARM * (samples[-1, 0] - samples[0, 0])
    kept = samples[samples[:, 0] >= warm]
    blocks = min(BLOCKS, len(kept))
    hours, mb = np.array([block.mean(axis=0) for block in np.array_split(kept, blocks)]).T
    hours = (hours - hours.mean()) / 3600
    spread = float((hours**2).sum())
    if blocks < 3 or not spread:
        return 0.0, None
    slope = float((hours * mb).sum() / spread)
    rest = mb - mb.mean() - slope * hours
    return slope, T_95[blocks - 3] * float(np.sqrt((rest**2).sum() / (blocks - 2) / spread))


async def _latencies(
    connection: Connection, begin: int, seconds: float, rate: float
) -> dict[str, float | None]:
    """Return percentiles of what is observed from an instant on (microseconds): until it is committed."""
    devices = max(1, int(rate * seconds / TIMED))
    found: list[float] = []
    for table in map(table_of, kinds.load().values()):
        # The older readings of an array, which had waited on the device, end with another digit.
        rows = await connection.fetch(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - observed_at)::float8 * 1000 AS ms"  # noqa: S608 - a declared name
            f" FROM {table.name} WHERE observed_at >= $1 AND observed_at < $2 AND device_id % $3 = 0"
            " AND (extract(epoch FROM observed_at) * 1000000)::bigint % 10 = 0",
            to_datetime(begin),
            to_datetime(begin + int(seconds * 1e6)),
            devices,
        )
        found += [row["ms"] for row in rows]
    return percentiles(found, open_loop.OF)
