"""What `nabd bench ingest --json` prints: figures, and every run, which other commands read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import msgspec

from bench.throughput.drain import Drain
from bench.throughput.ladder import IngestBenchResult, median_cpu
from bench.throughput.large import LargeFleet
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop
from bench.throughput.peers.compare import Peer
from bench.throughput.raw_copy import RawCopy
from bench.throughput.recorded import RecordedRun
from nabd.demo.percentiles import medians


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRuns:
    """Every run of every stage, in order; empty where a stage was not asked for.

    copy: by messages a batch. fleets: by devices. rules: by how many. open: by rate, as its label says it.
    """

    recorded: list[RecordedRun] = field(default_factory=list)
    copy: dict[str, list[RawCopy]] = field(default_factory=dict)
    drain: list[Drain] = field(default_factory=list)
    fleets: dict[str, list[Drain]] = field(default_factory=dict)
    large_fleet: list[LargeFleet] = field(default_factory=list)
    rules: dict[str, list[Drain]] = field(default_factory=dict)
    with_rollups: list[Drain] = field(default_factory=list)
    without_rollups: list[Drain] = field(default_factory=list)
    open: dict[str, list[OpenLoop]] = field(default_factory=dict)
    long: list[LongRun] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)


class IngestSummary(msgspec.Struct, kw_only=True):
    """What is read again of a line that was printed.

    measured_at: microseconds, when it began. compiled: whether ingest had compiled code; None in lines of
    versions that did not tell.
    """

    traffic: str
    rules: str
    messages: int
    devices: int
    seed: int
    open_seconds: float
    commit: str
    measured_at: int
    compiled: bool | None = None
    machine: dict[str, str]
    runs: IngestRuns


def summary(result: IngestBenchResult) -> dict[str, Any]:
    """Return the figures that programs read: the last line of `--json`."""
    drains, plan = result.drains, result.plan
    ratio = result.drain_per_s / result.raw_copy_per_s if drains and result.copies else None
    return {
        "traffic": plan.traffic,
        "rules": plan.rules,
        "messages": plan.messages,
        "devices": plan.devices,
        "seed": plan.seed,
        "open_seconds": plan.open_s,
        "commit": result.commit,
        "measured_at": result.measured_at,
        "compiled": result.compiled,
        "drain_per_s": round(result.drain_per_s),
        "drain_spread": [round(d.messages_per_s) for d in drains],
        "raw_copy_per_s": round(result.raw_copy_per_s),
        "ratio": None if ratio is None else round(ratio, 3),
        "sent": sum(d.sent for d in drains),
        "stored": sum(d.stored for d in drains),
        "duplicates": sum(d.duplicates for d in drains),
        "rejected": sum(d.rejected for d in drains),
        "lost": sum(d.lost for d in drains),
        "alerts": sum(d.alerts for d in drains),
        "cpu_us_per_message": median_cpu(drains),
        "memory_mb": round(max((d.memory_mb for d in drains), default=0.0)),
        "bytes_per_reading": median_bytes(drains),
        "recorded_cpu_us": medians([r.cpu_us for r in result.recorded]),
        "recorded_decode_us": medians([r.decode_us for r in result.recorded]),
        "rule_readings_per_s": {
            kind: round(rate)
            for kind, rate in medians([r.rule_readings_per_s for r in result.recorded]).items()
        },
        "raw_copy": result.copies,
        "open_loop": result.open_loops,
        "fleets": {str(n): _rates(d) for n, d in result.fleets.items()},
        "large_fleet": result.large,
        "long": result.long,
        "rules_cost": {name: _rates(d) for name, d in result.rules.items()},
        "rollups": None if result.rollups is None else result.rollups.summary(),
        "peers": result.peers,
        "machine": result.machine,
        "runs": runs_of(result),
    }


def runs_of(result: IngestBenchResult) -> IngestRuns:
    """Return every run of a result."""
    copies: dict[str, list[RawCopy]] = {}
    for one in result.copies:
        copies.setdefault(str(one.batch_messages), []).append(one)
    return IngestRuns(
        recorded=result.recorded,
        copy=copies,
        drain=result.drains,
        fleets={str(n): runs for n, runs in result.fleets.items()},
        large_fleet=result.large,
        rules=result.rules,
        with_rollups=result.marked,
        without_rollups=result.unmarked,
        open=result.open,
        long=result.long,
        peers=result.peers,
    )


def bytes_of(drain: Drain) -> dict[str, float | None]:
    """Return the bytes of a reading, by where they are."""
    return {
        "WAL": drain.wal_bytes_per_reading,
        "tables": drain.table_bytes_per_reading,
        "indexes": drain.index_bytes_per_reading,
    }


def median_bytes(drains: Sequence[Drain]) -> dict[str, float]:
    """Return the median bytes of a reading, by where they are."""
    return medians([bytes_of(one) for one in drains])


def _rates(drains: Sequence[Drain]) -> dict[str, Any]:
    return {
        "drain_per_s": round(median(d.messages_per_s for d in drains)),
        "spread": [round(d.messages_per_s) for d in drains],
        "cpu_us_per_message": median_cpu(drains),
        "memory_mb": round(max(d.memory_mb for d in drains)),
        "lost": sum(d.lost for d in drains),
    }
