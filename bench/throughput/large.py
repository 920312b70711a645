"""A large fleet: how long ingest takes to start, and again, what it keeps, how long checkpoints last."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.throughput import children, drain, open_loop, usage
from bench.throughput.children import ChildFailed, child, last_words
from bench.throughput.drain import Drain
from bench.throughput.fleet import BenchFleet
from bench.throughput.ingests.watched import WATCHED, checkpoints_ms
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream, make_stream
from nabd import clock
from readings import ledger
from store.pool import connect

AFTER_S, AFTER_RATE = 20.0, 1_000.0
"""What devices say once ingest has started again: it knows what all of them said, and saves that. A second is
enough of ten thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeFleet:
    """One drain of a large fleet, and the start of the next process after it.

    Seconds, and CPU seconds, from the start of the process to the first message that it can hear; memory in
    MB, as it was then.
    checkpoint_ms: the longest that a checkpoint held a batch up, checkpoint_p50_ms: how long usually;
    checkpoint_cpu_ms: the most CPU that one took; None where none was written.
    """

    devices: int
    drain: Drain
    restart_s: float
    restart_cpu_s: float
    restart_mb: float
    peak_mb: float
    checkpoints: int
    checkpoint_p50_ms: float | None
    checkpoint_ms: float | None
    checkpoint_cpu_ms: float | None


async def run(
    rig: Rig,
    dsn: str,
    fleet: BenchFleet,
    stream: Stream,
    name: str,
    seed: int,
    tell: Callable[[str], None],
) -> LargeFleet:
    """Drain a stream of the fleet, start ingest again, and let some devices go on talking.

    Raises:
        ChildFailed: ingest ended, or lost what they said after that.
    """
    drained = await drain.run(rig, dsn, stream, name, command=WATCHED)
    tell(f"start again, {fleet.size} devices")
    log = rig.directory / name / "again.log"
    with rig.broker() as broker:
        begun = time.perf_counter()
        async with child(WATCHED, log, drain.settings_of(dsn, broker)) as process:
            await drain.until_said(process, log, drain.SUBSCRIBED)
            restart_s, restart_mb = time.perf_counter() - begun, usage.memory_mb(process.pid)
            restart_cpu_s = usage.cpu_s([process.pid])
            after_s = min(AFTER_S, max(1.0, fleet.size / 10_000))
            # Time to make the messages of a large fleet: a few microseconds a device.
            begin = clock.wall() + 3_000_000 + fleet.size * 20
            more = make_stream(fleet, seed=seed, at=open_loop.schedule(AFTER_RATE, after_s, begin))
            await children.publish(
                rig.directory / f"{name}-again",
                more,
                host=broker.address.host,
                port=broker.address.port,
                open_loop=True,
            )
            connection = await connect(dsn)
            try:
                await drain.until_counted(connection, process, log, len(stream) + len(more))
                counted = (await ledger.total(connection)).received
            finally:
                await connection.close()
            if counted < drained.sent - drained.lost + more.readings:
                raise ChildFailed(f"ingest lost readings after it started again:\n{last_words(log)}")
            peak_mb = max(drained.memory_mb, usage.peak_memory_mb(process.pid))
    saved = checkpoints_ms(log) + checkpoints_ms(rig.directory / name / "ingest.log")
    return LargeFleet(
        devices=fleet.size,
        drain=drained,
        restart_s=round(restart_s, 2),
        restart_cpu_s=round(restart_cpu_s, 2),
        restart_mb=round(restart_mb),
        peak_mb=round(peak_mb),
        checkpoints=len(saved),
        checkpoint_p50_ms=median(ms for ms, _ in saved) if saved else None,
        checkpoint_ms=max((ms for ms, _ in saved), default=None),
        checkpoint_cpu_ms=max((cpu for _, cpu in saved), default=None),
    )
