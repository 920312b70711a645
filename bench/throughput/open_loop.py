"""Stage d: messages sent at intended instants, whatever happens, and how long until they are committed.

A reading's `observed_at` is the instant at which it was to be sent, so the latency of a row is its commit
minus its `observed_at`: a generator or a broker that lags makes it longer, never shorter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from bench.throughput import children, drain, usage
from bench.throughput.children import child
from bench.throughput.fleet import BenchFleet
from bench.throughput.paths import slowest
from bench.throughput.paths.stamps import STEPS
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream, make_stream
from devices import kinds
from nabd import clock
from nabd.demo.percentiles import medians, percentiles
from readings import balance, ledger
from readings.tables import table_of
from store.connection import Connection
from store.pool import connect

OF = (50, 99, 99.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLoop:
    """One run at one rate, or several together; no percent_of_drain where the rate was given.

    Milliseconds from the intended instant to the commit.

    cores_needed: CPU seconds that a second at this rate takes of everything, the generator too. More than
    there are means that commits fall behind. path_ms, slowest_path_ms: where the time of all messages and
    of the slowest hundredth went, means by part; empty where batches cannot be told apart.
    """

    percent_of_drain: float | None
    rate: float
    sent: int
    stored: int
    merged: int
    duplicates: int
    rejected: int
    lost: int
    generator_late_ms: float
    commit_ms: dict[str, float | None]
    alert_ms: dict[str, float | None]
    alerts: int
    cpu_us: dict[str, float]
    cores_needed: float
    memory_mb: float
    commit_p99_spread: list[float | None]
    path_ms: slowest.PathTimes = field(default_factory=dict)
    slowest_path_ms: slowest.PathTimes = field(default_factory=dict)


def label(rate: float, percent: float | None) -> str:
    """Return what runs at one rate are called: the share of the drain, or the messages a second."""
    return f"{rate:,.0f}/s" if percent is None else f"{percent:g} % of drain"


def together(runs: Sequence[OpenLoop]) -> OpenLoop:
    """Return several runs at one share of the drain as one.

    Counts are sums; rates, latencies and CPU medians; lateness of the generator and memory the worst; parts
    of paths means, so that they still add up.
    """
    counts = ("sent", "stored", "merged", "duplicates", "rejected", "lost", "alerts")
    summed = {name: sum(getattr(run, name) for run in runs) for name in counts}
    return OpenLoop(
        percent_of_drain=runs[0].percent_of_drain,
        rate=round(median(run.rate for run in runs)),
        **summed,
        generator_late_ms=max(run.generator_late_ms for run in runs),
        commit_ms={**dict.fromkeys(runs[0].commit_ms), **medians([run.commit_ms for run in runs])},
        alert_ms={**dict.fromkeys(runs[0].alert_ms), **medians([run.alert_ms for run in runs])},
        cpu_us=medians([run.cpu_us for run in runs]),
        cores_needed=round(median(run.cores_needed for run in runs), 2),
        memory_mb=max(run.memory_mb for run in runs),
        commit_p99_spread=sorted(
            (p99 for run in runs for p99 in run.commit_p99_spread), key=lambda p99: p99 or 0.0
        ),
        path_ms=_mean_path([run.path_ms for run in runs]),
        slowest_path_ms=_mean_path([run.slowest_path_ms for run in runs]),
    )


def _mean_path(paths: Sequence[slowest.PathTimes]) -> slowest.PathTimes:
    known = [path for path in paths if path]
    return {part: round(fmean(path[part] for path in known), 2) for part in (known[0] if known else ())}


def schedule(rate: float, seconds: float, begin: int) -> NDArray[np.int64]:
    """Return when each message is to be sent, in microseconds, multiples of 10."""
    n = max(1, int(rate * seconds))
    return (begin + (np.arange(n) * (1e6 / rate)).astype(np.int64)) // 10 * 10


async def run(
    rig: Rig,
    dsn: str,
    fleet: BenchFleet,
    *,
    rate: float,
    seconds: float,
    percent: float | None,
    seed: int,
    name: str,
) -> OpenLoop:
    """Start ingest, send at `rate` for `seconds`, wait for the last commit, and read the latencies."""
    directory = rig.directory / name
    log, stamps = directory.with_suffix(".log"), directory.with_suffix(".stamps")
    command = [sys.executable, "-m", "bench.throughput.ingests.stamped", str(stamps)]
    with rig.broker() as broker:
        async with child(command, log, drain.settings_of(dsn, broker)) as process:
            await drain.until_said(process, log, drain.SUBSCRIBED)
            # Time to make the messages, to hand them over and to connect: 20 microseconds each are plenty.
            lead = 3_000_000 + int(rate * seconds * 20)
            stream = make_stream(fleet, seed=seed, at=schedule(rate, seconds, clock.wall() + lead))
            before = (usage.cpu_s([process.pid]), usage.cpu_s([broker.pid]), rig.database_cpu_s())
            sent = await children.publish(
                directory, stream, host=broker.address.host, port=broker.address.port, open_loop=True
            )
            connection = await connect(dsn, statement_timeout_s=0)
            try:
                await drain.until_counted(connection, process, log, len(stream))
                after = (usage.cpu_s([process.pid]), usage.cpu_s([broker.pid]), rig.database_cpu_s())
                memory = usage.peak_memory_mb(process.pid)
                totals = await ledger.total(connection)
                stored = await balance.count_readings(connection, kinds.load())
                commits = await _commits(connection, stream)
                alerts = await _alerts(connection, stream)
            finally:
                await connection.close()
    parts = [(b - a) / len(stream) * 1e6 for a, b in zip(before, after, strict=True)]
    cpu = dict(zip(("ingest", "broker", "database"), parts, strict=True))
    cpu["generator"] = sent.cpu_s / len(stream) * 1e6
    commit_ms = percentiles(((commits.committed - commits.intended) / 1000).tolist(), OF)
    path_ms, slowest_path_ms = _paths(commits, stamps)
    return OpenLoop(
        percent_of_drain=percent,
        rate=rate,
        sent=stream.readings,
        stored=stored,
        merged=totals.merged,
        duplicates=totals.duplicate,
        rejected=totals.rejected,
        lost=stream.readings - stored - totals.merged - totals.duplicate - totals.rejected,
        generator_late_ms=round(sent.late_ms, 1),
        commit_ms=commit_ms,
        alert_ms=percentiles(alerts, OF),
        alerts=len(alerts),
        cpu_us={part: round(us, 2) for part, us in cpu.items()},
        cores_needed=round(sum(cpu.values()) * rate / 1e6, 2),
        memory_mb=memory,
        commit_p99_spread=[commit_ms["p99"]],
        path_ms=path_ms,
        slowest_path_ms=slowest_path_ms,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commits:
    """(n,) microseconds of the newest reading of each message; an array's older ones waited on the device.

    batches: (b,) when each batch was committed, in their order.
    """

    intended: NDArray[np.int64]
    received: NDArray[np.int64]
    committed: NDArray[np.int64]
    batches: NDArray[np.int64]


_COLUMNS = ("observed_at", "received_at", "pg_xact_commit_timestamp(xmin)")
_MICROSECONDS = ", ".join(f"(extract(epoch FROM {column}) * 1000000)::bigint" for column in _COLUMNS)
_BATCHES = """
SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint AS at FROM ledger ORDER BY batch
"""


async def _commits(connection: Connection, stream: Stream) -> _Commits:
    found = [np.empty((0, 3), dtype=np.int64)]
    for table in map(table_of, kinds.load().values()):
        rows = await connection.fetch(f"SELECT {_MICROSECONDS} FROM {table.name}")  # noqa: S608 - a declared name
        found.append(np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 3))
    every = np.concatenate(found)
    intended, received, committed = every[np.isin(every[:, 0], stream.at)].T
    batches = [row["at"] for row in await connection.fetch(_BATCHES)]
    return _Commits(
        intended=intended,
        received=received,
        committed=committed,
        batches=np.array(batches, dtype=np.int64),
    )


def _paths(commits: _Commits, stamps: Path) -> tuple[slowest.PathTimes, slowest.PathTimes]:
    """Return the paths of all and of the slowest messages; nothing where a batch was tried more than once."""
    found = np.loadtxt(stamps, dtype=np.int64, ndmin=2)
    if len(found) != len(commits.batches) or not len(commits.intended):
        return {}, {}
    batch = np.searchsorted(commits.batches, commits.committed)
    return slowest.paths(commits.intended, commits.received, batch, found.reshape(-1, len(STEPS)))


_ALERTS = """
SELECT
    (extract(epoch FROM observed_at) * 1000000)::bigint AS at,
    extract(epoch FROM pg_xact_commit_timestamp(transition.xmin) - observed_at)::float8 * 1000 AS ms
FROM transition
WHERE to_state = 'firing'
"""


async def _alerts(connection: Connection, stream: Stream) -> list[float]:
    rows = await connection.fetch(_ALERTS)
    if not rows:
        return []
    at, ms = np.array([tuple(row) for row in rows]).T
    kept: list[float] = ms[np.isin(at.astype(np.int64), stream.at)].tolist()
    return kept
