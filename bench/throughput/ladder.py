"""The stages of `nabd bench ingest` in their order, and what comes out of them."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from statistics import median

import numpy as np

from bench import CHECKOUT
from bench.throughput import (
    drain,
    large,
    long_run,
    machine,
    many_rules,
    open_loop,
    raw_copy,
    recorded,
    rig,
    rolled,
)
from bench.throughput.drain import Drain
from bench.throughput.fleet import BenchFleet, Traffic
from bench.throughput.large import LargeFleet
from bench.throughput.long_run import LongRun
from bench.throughput.open_loop import OpenLoop
from bench.throughput.peers import compare
from bench.throughput.peers.compare import Peer
from bench.throughput.raw_copy import RawCopy
from bench.throughput.recorded import RecordedRun
from bench.throughput.rig import Rig
from bench.throughput.rolled import RollupCost
from bench.throughput.traffic import Stream, make_stream
from devices import kinds
from devices.compiled import machine_code
from devices.compiled.machine_code import Unusable
from devices.compiled.part import CompiledPart, Functions
from devices.wire import Kernel
from devices.wire.compiled.part import PART as DECODER
from ingest import compiling
from ingest.compiling import NotCompiled
from nabd import clock
from nabd.demo.percentiles import medians
from nabd.settings import Settings, compiled_directories
from rules.context.compiled.part import PART as RULES
from rules.definition.definition import Definition
from rules.loading.files import default_packs

SLOW_MESSAGES = 20_000
"""What the slow peers get: a program that does a few thousand a second shows that in seconds."""
BATCH_SIZES = (5_000, 10_000, 20_000, 50_000)
SPAN_US = 3_600_000_000
"""The recorded stream covers the last hour."""

PERCENTS = (25.0, 50.0, 80.0)
"""The rates of open loops, as shares of the drain."""


class Stage(StrEnum):
    """What can be measured alone."""

    RECORDED = "recorded"
    COPY = "copy"
    DRAIN = "drain"
    OPEN = "open"
    FLEETS = "fleets"
    RULES = "rules"
    ROLLUPS = "rollups"
    LONG = "long"
    PEERS = "peers"


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlan:
    """What to measure.

    rules: "off", "default", or how many rules each kind has. open_rates: messages a second, instead of
    open_percents of the drain. dsn: a server of others.
    """

    messages: int = 300_000
    devices: int = 5_000
    large_fleet: int = 100_000
    traffic: Traffic = Traffic.MIXED
    rules: str = "default"
    runs: int = 3
    stages: frozenset[Stage] = frozenset({Stage.RECORDED, Stage.COPY, Stage.DRAIN})
    open_s: float = 10.0
    open_percents: tuple[float, ...] = PERCENTS
    open_rates: tuple[float, ...] = ()
    long_s: float = 1_800.0
    long_percent: float = 70.0
    seed: int = 1
    dsn: str | None = None


@dataclass(slots=True, kw_only=True)
class IngestBenchResult:
    """Everything measured; empty where a stage was not asked for. open: by rate.

    measured_at: microseconds, when it began. compiled: whether ingest had compiled code.
    """

    plan: BenchPlan
    machine: dict[str, str]
    commit: str
    measured_at: int
    compiled: bool = False
    recorded: list[RecordedRun] = field(default_factory=list)
    copies: list[RawCopy] = field(default_factory=list)
    drains: list[Drain] = field(default_factory=list)
    fleets: dict[int, list[Drain]] = field(default_factory=dict)
    large: list[LargeFleet] = field(default_factory=list)
    rules: dict[str, list[Drain]] = field(default_factory=dict)
    marked: list[Drain] = field(default_factory=list)
    unmarked: list[Drain] = field(default_factory=list)
    open: dict[str, list[OpenLoop]] = field(default_factory=dict)
    long: list[LongRun] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)

    @property
    def drain_per_s(self) -> float:
        """The median rate of draining."""
        return median(d.messages_per_s for d in self.drains) if self.drains else 0.0

    @property
    def raw_copy_per_s(self) -> float:
        """The median rate of raw COPY at its best batch size."""
        by_size: dict[int, list[float]] = {}
        for copy in self.copies:
            by_size.setdefault(copy.batch_messages, []).append(copy.messages_per_s)
        return max((median(rates) for rates in by_size.values()), default=0.0)

    @property
    def lost(self) -> int:
        """Readings of which nobody knows what became of them, or whence they are, in all runs of ingest."""
        drains = [self.drains, *self.fleets.values(), *self.rules.values(), self.marked, self.unmarked]
        runs: list[list[Drain] | list[OpenLoop] | list[LongRun]] = [*drains, *self.open.values(), self.long]
        # A run may be part of several comparisons.
        return sum(abs(run.lost) for run in {id(run): run for found in runs for run in found}.values())

    @property
    def rollups(self) -> RollupCost | None:
        """What rollups cost; None where it was not asked for."""
        return RollupCost(marked=self.marked, unmarked=self.unmarked) if self.marked else None

    @property
    def open_loops(self) -> list[OpenLoop]:
        """What was measured at each share of the drain, its runs together."""
        return [open_loop.together(runs) for runs in self.open.values()]


def median_cpu(drains: Sequence[Drain]) -> dict[str, float]:
    """Return the median CPU microseconds per message of each process."""
    return medians([d.cpu_us for d in drains])


Tell = Callable[[str], None]


async def run(plan: BenchPlan, tell: Tell) -> IngestBenchResult:
    """Measure what the plan asks for; `tell` hears of every step as it begins."""
    result = IngestBenchResult(plan=plan, machine={}, commit=machine.commit(), measured_at=clock.wall())
    kernel, functions = await _compiled(Settings())
    result.compiled = kernel is not None
    with tempfile.TemporaryDirectory(prefix="nabd-bench-") as directory:
        async with rig.running(Path(directory), plan.dsn) as running:
            result.machine = machine.describe(running.server.version)
            # Stages take turns, so that a noisy minute hits all of them.
            for number in range(1, plan.runs + 1):

                def tell_run(step: str, number: int = number) -> None:
                    tell(f"{step}, run {number}")

                await _limits(running, plan, result, tell_run, kernel, functions)
                await _drains(running, plan, result, tell_run)
                if Stage.ROLLUPS in plan.stages:
                    await _rolled(running, plan, result, tell_run)
                if Stage.OPEN in plan.stages:
                    await _open_loops(running, plan, result, tell_run)
            if Stage.LONG in plan.stages:
                await _long(running, plan, result, tell)
            if Stage.PEERS in plan.stages:
                await _peers(running, plan, result, tell)
    return result


def steps(plan: BenchPlan) -> int:
    """Return how often `tell` will be called."""
    stages, n = plan.stages, 0
    n += plan.runs if Stage.RECORDED in stages else 0
    n += len(_sizes(plan)) * plan.runs if Stage.COPY in stages else 0
    n += len(_to_drain(plan)) * plan.runs
    n += 2 * plan.runs if Stage.FLEETS in stages else 0
    n += 2 * plan.runs if Stage.ROLLUPS in stages else 0
    n += len(plan.open_rates or plan.open_percents) * plan.runs if Stage.OPEN in stages else 0
    n += 1 if Stage.LONG in stages else 0
    return n + (4 if Stage.PEERS in stages else 0)


def _stream(plan: BenchPlan, fleet: BenchFleet, messages: int | None = None) -> Stream:
    """Return a stream observed in the hour before now."""
    n = messages or plan.messages
    at = clock.wall() - SPAN_US + np.linspace(0, SPAN_US - 1_000_000, n).astype(np.int64)
    return make_stream(fleet, seed=plan.seed, at=at // 10 * 10)


def _sizes(plan: BenchPlan) -> list[int]:
    return [size for size in BATCH_SIZES if size <= plan.messages] or [plan.messages]


async def _limits(
    running: Rig,
    plan: BenchPlan,
    result: IngestBenchResult,
    tell: Tell,
    kernel: Kernel | None,
    functions: Functions,
) -> None:
    """Stages a and b: what ingest computes, and what the database can take."""
    if not plan.stages & {Stage.RECORDED, Stage.COPY}:
        return
    fleet, declared = BenchFleet(traffic=plan.traffic, size=plan.devices), kinds.load()
    stream = _stream(plan, fleet)
    if Stage.RECORDED in plan.stages:
        tell("recorded stream")
        rules = rules_of(plan.rules)
        given = default_packs(declared) if rules is None else rules
        done = recorded.run(stream, fleet, declared, given, Settings().batch_rows, kernel, functions)
        result.recorded.append(replace(done, encoded=[]))
    if Stage.COPY in plan.stages:
        async with running.database(fleet, []) as dsn:
            for size in _sizes(plan):
                tell(f"raw COPY, {size} messages a batch")
                encoded = recorded.run(stream, fleet, declared, [], size).encoded
                result.copies.append(await raw_copy.run(running, dsn, encoded, plan.messages, size))
                del encoded
    gc.collect()


async def _compiled(settings: Settings) -> tuple[Kernel | None, Functions]:
    """Return what ingest decodes and judges with from its start on, compiled now if it was not yet.

    An ingest that finds none would compile beside what is measured. Nothing where none can be made.
    """
    if not settings.compiled_code:
        return None, {}
    own = settings.model_copy(update={"data_dir": CHECKOUT / settings.data_dir})  # where a child runs
    places = compiled_directories(own)
    try:
        if missing := [part.package for part in (DECODER, RULES) if not _is_there(part, places)]:
            await compiling.compile_into(places[-1], missing)
        found = [machine_code.linked(part, compiling.found(part, places)[1]) for part in (DECODER, RULES)]
    except Unusable:
        return None, {}
    kernel = Kernel()
    kernel.take(found[0])
    return kernel, found[1]


def _is_there(part: CompiledPart, places: Sequence[Path]) -> bool:
    try:
        compiling.found(part, places)
    except NotCompiled:
        return False
    return True


RULE_SETS = ("off", "default", "100")


def _to_drain(plan: BenchPlan) -> list[tuple[int, str]]:
    """Return the fleets' sizes and the rules that stages c, e and f drain, each pair once."""
    stages, own = plan.stages, (plan.devices, plan.rules)
    pairs = [own] if stages & {Stage.DRAIN, Stage.FLEETS} or _needs_rate(plan) else []
    pairs += [(plan.large_fleet, plan.rules)] if Stage.FLEETS in stages else []
    pairs += [(plan.devices, rules) for rules in RULE_SETS] if Stage.RULES in stages else []
    return list(dict.fromkeys(pairs))


def _needs_rate(plan: BenchPlan) -> bool:
    return Stage.LONG in plan.stages or (Stage.OPEN in plan.stages and not plan.open_rates)


async def _drains(running: Rig, plan: BenchPlan, result: IngestBenchResult, tell: Tell) -> None:
    """Stages c, e and f; what two of them ask for is measured once and stands in both."""
    drained: dict[tuple[int, str], Drain] = {}
    for size, rules in _to_drain(plan):
        tell(f"drain, {size} devices, rules {rules}")
        if Stage.FLEETS in plan.stages and size == plan.large_fleet:
            result.large.append(await _large(running, plan, tell))
            drained[size, rules] = result.large[-1].drain
        else:
            drained[size, rules] = await _drain(running, plan, size, rules)
    if Stage.DRAIN in plan.stages or _needs_rate(plan):
        result.drains.append(drained[plan.devices, plan.rules])
    if Stage.FLEETS in plan.stages:
        for size in dict.fromkeys((plan.devices, plan.large_fleet)):
            result.fleets.setdefault(size, []).append(drained[size, plan.rules])
    if Stage.RULES in plan.stages:
        for rules in RULE_SETS:
            result.rules.setdefault(rules, []).append(drained[plan.devices, rules])


async def _rolled(running: Rig, plan: BenchPlan, result: IngestBenchResult, tell: Tell) -> None:
    fleet = BenchFleet(traffic=plan.traffic, size=plan.devices)
    for marked, runs in ((True, result.marked), (False, result.unmarked)):
        tell(f"drain {'with' if marked else 'without'} rollups")
        async with running.database(fleet, rules_of(plan.rules)) as dsn:
            stream, name = _stream(plan, fleet), f"rolled{running.databases}"
            runs.append(await rolled.run(running, dsn, stream, name, marked=marked))


async def _large(running: Rig, plan: BenchPlan, tell: Tell) -> LargeFleet:
    fleet = BenchFleet(traffic=plan.traffic, size=plan.large_fleet)
    async with running.database(fleet, rules_of(plan.rules)) as dsn:
        tell(f"drain, {fleet.size} devices that are registered now")
        name = f"large{running.databases}"
        return await large.run(running, dsn, fleet, _stream(plan, fleet), name, plan.seed, tell)


async def _drain(running: Rig, plan: BenchPlan, devices: int, rules: str) -> Drain:
    fleet = BenchFleet(traffic=plan.traffic, size=devices)
    stream = _stream(plan, fleet)
    async with running.database(fleet, rules_of(rules)) as dsn:
        return await drain.run(running, dsn, stream, f"drain{running.databases}")


def rules_of(rules: str) -> list[Definition] | None:
    """Return what "off", "default" or a number of rules a kind means; None are the default ones."""
    match rules:
        case "default":
            return None
        case "off":
            return []
        case number:
            return many_rules.make(int(number), kinds.load())


async def _open_loops(running: Rig, plan: BenchPlan, result: IngestBenchResult, tell: Tell) -> None:
    """Stage d, at given rates, or at shares of the drain just measured: the machine is as fast as then."""
    fleet = BenchFleet(traffic=plan.traffic, size=plan.devices)
    loops: list[tuple[float, float | None]] = [(rate, None) for rate in plan.open_rates]
    if not loops:
        full = result.drains[-1].messages_per_s
        loops = [(full * percent / 100, percent) for percent in plan.open_percents]
    for rate, percent in loops:
        tell(f"open loop at {open_loop.label(rate, percent)}")
        async with running.database(fleet, rules_of(plan.rules)) as dsn:
            measured = await open_loop.run(
                running,
                dsn,
                fleet,
                rate=rate,
                seconds=plan.open_s,
                percent=percent,
                seed=plan.seed,
                name=f"open{running.databases}",
            )
        result.open.setdefault(open_loop.label(rate, percent), []).append(measured)


async def _long(running: Rig, plan: BenchPlan, result: IngestBenchResult, tell: Tell) -> None:
    """Once, whatever `runs` says, at a share of what all runs drained."""
    fleet = BenchFleet(traffic=plan.traffic, size=plan.devices)
    tell(f"{plan.long_s:.0f} s at {plan.long_percent:.0f} % of drain")
    async with running.database(fleet, rules_of(plan.rules)) as dsn:
        result.long.append(
            await long_run.run(
                running,
                dsn,
                fleet,
                rate=result.drain_per_s * plan.long_percent / 100,
                seconds=plan.long_s,
                percent=plan.long_percent,
                seed=plan.seed,
                name=f"long{running.databases}",
            )
        )


async def _peers(running: Rig, plan: BenchPlan, result: IngestBenchResult, tell: Tell) -> None:
    fleet = BenchFleet(traffic=plan.traffic, size=plan.devices)
    slow = _stream(plan, fleet, min(SLOW_MESSAGES, plan.messages))
    async with running.database(fleet, []) as dsn:
        result.peers = await compare.run(running, dsn, _stream(plan, fleet), slow, tell)
