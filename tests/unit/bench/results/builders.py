"""Lines as `nabd bench ingest --json` prints them, with figures of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from bench.results.summary import IngestRuns, IngestSummary
from bench.throughput.drain import Drain
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop

MACHINE = {
    "cpu": "Abacus",
    "cores": "2",
    "memory": "24 GiB",
    "kernel": "6",
    "python": "3.11.7",
    "postgres": "18.6",
    "mosquitto": "2.0.11",
    "load_before": "0.1",
}
DRAIN = Drain(
    messages=100,
    sent=110,
    stored=104,
    merged=1,
    duplicates=3,
    rejected=2,
    lost=0,
    seconds=1.0,
    messages_per_s=100.0,
    batches=1,
    alerts=0,
    cpu_us={"ingest": 5.0, "broker": 3.0, "database": 4.0, "generator": 2.0},
    memory_mb=150.0,
    start_s=2.0,
    start_cpu_s=1.5,
    start_mb=120.0,
    wal_bytes_per_reading=220.0,
    table_bytes_per_reading=110.0,
    index_bytes_per_reading=40.0,
)
OPEN = OpenLoop(
    percent_of_drain=None,
    rate=1000.0,
    sent=110,
    stored=110,
    merged=0,
    duplicates=0,
    rejected=0,
    lost=0,
    generator_late_ms=1.0,
    commit_ms={"p50": 10.0, "p99": 20.0, "p99.9": 30.0},
    alert_ms={"p50": None, "p99": None, "p99.9": None},
    alerts=0,
    cpu_us={"ingest": 10.0, "broker": 5.0, "database": 5.0, "generator": 3.0},
    cores_needed=0.5,
    memory_mb=150.0,
    commit_p99_spread=[20.0],
)
LONG = LongRun(
    seconds=1800.0,
    percent_of_drain=70.0,
    rate=1000.0,
    sent=110,
    stored=110,
    merged=0,
    duplicates=0,
    rejected=0,
    lost=0,
    window_s=300.0,
    first_ms={"p50": 10.0, "p99": 20.0, "p99.9": 30.0},
    last_ms={"p50": 10.0, "p99": 20.0, "p99.9": 30.0},
    generator_late_ms=1.0,
    growth_mb_per_h=0.5,
    growth_95=1.0,
    memory_mb=150.0,
)


def drains(*rates: float) -> list[Drain]:
    """Return drains at these rates, otherwise alike."""
    return [replace(DRAIN, messages_per_s=rate) for rate in rates]


def loop(rate: float, p99: float) -> OpenLoop:
    """Return an open loop at a rate."""
    return replace(OPEN, rate=rate, commit_ms={"p50": p99 / 2, "p99": p99, "p99.9": 2 * p99})


def summary(runs: IngestRuns, **different: Any) -> IngestSummary:
    """Return what one line holds."""
    usual: dict[str, Any] = {
        "traffic": "mixed",
        "rules": "default",
        "messages": 100,
        "devices": 10,
        "seed": 1,
        "open_seconds": 10.0,
        "commit": "abc1234",
        "measured_at": 0,
        "compiled": True,
        "machine": MACHINE,
        "runs": runs,
    }
    return IngestSummary(**(usual | different))


def in_turns(rates: Sequence[float], *, after: bool) -> list[IngestSummary]:
    """Return a line with one drain for each rate, measured in turns with those of the other side."""
    return [
        summary(IngestRuns(drain=drains(rate)), measured_at=2 * turn + after)
        for turn, rate in enumerate(rates)
    ]


def write(file: Path, lines: Sequence[IngestSummary]) -> Path:
    """Write lines to a file and return it."""
    file.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in lines))
    return file
