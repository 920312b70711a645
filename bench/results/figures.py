"""Every figure of a measurement by its name, run by run, and which way is better. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from bench.results.summary import IngestRuns, bytes_of
from bench.throughput.drain import Drain
from bench.throughput.large import LargeFleet
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop

Run = TypeVar("Run")


class FigureUnit(Enum):
    """What a figure is measured in; whether more is better; what to say of less and of more."""

    RATE = "messages/s", True, "slower", "faster"
    RULE_READINGS = "rule-readings/s", True, "slower", "faster"
    SECONDS = "s", False, "faster", "slower"
    MILLISECONDS = "ms", False, "faster", "slower"
    CPU = "CPU us a message", False, "less CPU", "more CPU"
    CORES = "cores", False, "less CPU", "more CPU"
    MEMORY = "MB", False, "less memory", "more memory"
    BYTES = "bytes a reading", False, "fewer bytes", "more bytes"

    def __init__(self, unit: str, more_is_better: bool, less: str, more: str) -> None:
        self.unit = unit
        self.more_is_better = more_is_better
        self.less = less
        self.more = more


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of every run, in their order. rates: of an open loop, the load it was measured at."""

    name: str
    unit: FigureUnit
    values: list[float]
    rates: list[float] | None = None


def figures(runs: IngestRuns) -> list[Figure]:
    """Return every figure that all runs of its stage have; the generator's own are left out."""
    return [figure for figure in _figures(runs) if figure.values]


def _figures(runs: IngestRuns) -> Iterator[Figure]:
    for size, copies in runs.copy.items():
        name = f"raw COPY, {size} a batch"
        yield _figure(name, FigureUnit.RATE, copies, lambda run: run.messages_per_s)
        yield _figure(f"{name}: database", FigureUnit.CPU, copies, lambda run: run.database_cpu_us)
    yield from _mappings("in ingest, recorded", FigureUnit.CPU, [run.cpu_us for run in runs.recorded])
    yield from _mappings("decoding, recorded", FigureUnit.CPU, [run.decode_us for run in runs.recorded])
    yield from _mappings(
        "rules", FigureUnit.RULE_READINGS, [run.rule_readings_per_s for run in runs.recorded]
    )
    yield from _drains("drain", runs.drain)
    for devices, drains in runs.fleets.items():
        if drains != runs.drain:  # measured once, where two stages ask for it
            yield from _drains(f"drain, {devices} devices", drains)
    yield from _large(runs.large_fleet)
    for rules, drains in runs.rules.items():
        if drains != runs.drain:
            yield from _drains(f"drain, rules {rules}", drains)
    yield from _drains("drain with rollups", runs.with_rollups)
    yield from _drains("drain without rollups", runs.without_rollups)
    for rate, loops in runs.open.items():
        yield from _open(f"open loop at {rate}", loops)
    yield from _long(runs.long)
    for peer in runs.peers:
        if not peer.absent and not peer.lost:
            yield Figure(name=f"peer {peer.name}", unit=FigureUnit.RATE, values=[peer.messages_per_s])


def _figure(name: str, unit: FigureUnit, runs: Sequence[Run], of: Callable[[Run], float]) -> Figure:
    return Figure(name=name, unit=unit, values=[of(run) for run in runs])


def _drains(name: str, runs: Sequence[Drain]) -> Iterator[Figure]:
    yield _figure(name, FigureUnit.RATE, runs, lambda run: run.messages_per_s)
    yield from _mappings(name, FigureUnit.CPU, [run.cpu_us for run in runs])
    yield _figure(f"{name}: ingest", FigureUnit.MEMORY, runs, lambda run: run.memory_mb)
    yield _figure(f"{name}: start", FigureUnit.SECONDS, runs, lambda run: run.start_s)
    yield _figure(f"{name}: start", FigureUnit.MEMORY, runs, lambda run: run.start_mb)
    yield from _mappings(name, FigureUnit.BYTES, [bytes_of(run) for run in runs])


def _large(runs: Sequence[LargeFleet]) -> Iterator[Figure]:
    name = f"{runs[0].devices} devices" if runs else ""
    yield _figure(f"{name}: start again", FigureUnit.SECONDS, runs, lambda run: run.restart_s)
    yield _figure(f"{name}: start again", FigureUnit.MEMORY, runs, lambda run: run.restart_mb)
    yield _figure(f"{name}: at most", FigureUnit.MEMORY, runs, lambda run: run.peak_mb)
    saved = [run.checkpoint_ms for run in runs if run.checkpoint_ms is not None]
    if len(saved) == len(runs):
        longest = f"{name}: longest checkpoint of rules"
        yield Figure(name=longest, unit=FigureUnit.MILLISECONDS, values=saved)


def _long(runs: Sequence[LongRun]) -> Iterator[Figure]:
    rates = [run.rate for run in runs]
    lengths = " and ".join(dict.fromkeys(f"{run.seconds:,.0f} s" for run in runs))
    shares = " and ".join(dict.fromkeys(f"{run.percent_of_drain:g} %" for run in runs))
    name = f"long run of {lengths} at {shares} of drain"
    for part, windows in (("first", [run.first_ms for run in runs]), ("last", [run.last_ms for run in runs])):
        for one in _mappings(f"{name}, {part} minutes", FigureUnit.MILLISECONDS, windows):
            yield Figure(name=one.name, unit=one.unit, values=one.values, rates=rates)
    memory = [run.memory_mb for run in runs]
    yield Figure(name=f"{name}: ingest", unit=FigureUnit.MEMORY, values=memory, rates=rates)


def _open(name: str, runs: Sequence[OpenLoop]) -> Iterator[Figure]:
    rates = [run.rate for run in runs]
    found = [
        *_mappings(f"{name}, to commit", FigureUnit.MILLISECONDS, [run.commit_ms for run in runs]),
        *_mappings(f"{name}, to alert", FigureUnit.MILLISECONDS, [run.alert_ms for run in runs]),
        *_mappings(name, FigureUnit.CPU, [run.cpu_us for run in runs]),
        _figure(name, FigureUnit.CORES, runs, lambda run: run.cores_needed),
        _figure(f"{name}: ingest", FigureUnit.MEMORY, runs, lambda run: run.memory_mb),
    ]
    for one in found:
        yield Figure(name=one.name, unit=one.unit, values=one.values, rates=rates)


def _mappings(
    name: str, unit: FigureUnit, runs: Sequence[dict[str, float]] | Sequence[dict[str, float | None]]
) -> Iterator[Figure]:
    for part in runs[0] if runs else ():
        values = [value for run in runs if (value := run.get(part)) is not None]
        if part != "generator" and len(values) == len(runs):
            yield Figure(name=f"{name}: {part}", unit=unit, values=values)
