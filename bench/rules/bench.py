"""Runs the benchmark: groups of devices, each through months of life, acceptance and rules; then the score.

Devices do not depend on each other here, so groups run in processes of their own. Same seed and numbers,
same result, however many processes.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from bench.rules import allowance, fullness
from bench.rules.apart.apart import CLASSES
from bench.rules.judged import Opening, Platform
from bench.rules.life import Carrier, Collected, Message
from bench.rules.matching import Fault, Match, fault_of, match
from bench.rules.score import RuleScore, score
from bench.rules.staged import StagedDevices
from bench.rules.swept import Sweeps
from bench.rules.town import DAY_US, Numbers, bench_town, first_instant, of_kind, registry_of
from devices import kinds
from devices.kinds.kind import Kind
from firmware_sim.faults import APART, CLOCK_WRONG, EXPECTED, LONG_RUN, SWEPT, FaultLine
from rules.definition.definition import Definition
from rules.language.program import Rule
from rules.loading.files import default_packs

_GROUP = {"bin": 20, "light": 16, "drone": 1}
"""Devices of a kind that run together; what is simulated at 1 Hz takes longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceGroup:
    """Some devices of one kind, by their position in the town; `apart` names the class they are judged in."""

    seed: int
    numbers: Numbers
    kind: str
    first: int
    last: int
    apart: str = ""

    @property
    def device_days(self) -> float:
        """How much life is in it."""
        return (self.last - self.first) * self.numbers.days


@dataclass(slots=True, kw_only=True)
class Lived:
    """What happened in a group. forecasts: by device, from when to when one stood (microseconds)."""

    faults: list[FaultLine]
    alerts: list[Opening]
    forecasts: Mapping[str, Sequence[tuple[int, int]]]
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBenchResult:
    """A run of one seed. `without_rule`: labelled faults of rules that the packs do not have.

    apart: the results of the classes that are judged apart, by name; each has none of its own.
    """

    seed: int
    device_days: float
    readings: int
    scores: tuple[RuleScore, ...]
    found: Match
    without_rule: Mapping[str, int]
    apart: Mapping[str, RuleBenchResult] = field(default_factory=dict)

    @property
    def overall(self) -> RuleScore:
        """The score over all rules."""
        return self.scores[-1]

    @property
    def insufficient(self) -> list[str]:
        """Rules with too few faults to be judged."""
        return [s.rule for s in self.scores[:-1] if s.insufficient]


def groups(seed: int, numbers: Numbers) -> list[DeviceGroup]:
    """Return the groups of a run, the slowest first."""
    town = [
        group
        for kind in sorted(_GROUP, key=lambda kind: _GROUP[kind])
        for group in _groups_of(seed, numbers, kind)
    ]
    classes = CLASSES.items()
    return [*town, *(g for name, c in classes for g in _groups_of(seed, c.numbers(numbers), c.kind, name))]


def _groups_of(seed: int, numbers: Numbers, kind: str, apart: str = "") -> list[DeviceGroup]:
    size, many = _GROUP[kind], numbers.of(kind)
    return [
        DeviceGroup(
            seed=seed, numbers=numbers, kind=kind, first=first, last=min(first + size, many), apart=apart
        )
        for first in range(0, many, size)
    ]


def run(
    seed: int, numbers: Numbers, *, processes: int = 2, progress: Callable[[float], None] = lambda days: None
) -> RuleBenchResult:
    """Live through months of a town and judge the rules of the default packs.

    Args:
        progress: told the device-days of every group that is done.
    """
    todo = groups(seed, numbers)
    lived: dict[DeviceGroup, Lived] = {}
    if processes <= 1:
        for group in todo:
            lived[group] = live(group)
            progress(group.device_days)
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(processes, mp_context=context) as pool:
            futures = {pool.submit(live, group): group for group in todo}
            for future in as_completed(futures):
                lived[futures[future]] = future.result()
                progress(futures[future].device_days)
    found = judge(seed, numbers, [lived[group] for group in todo if not group.apart])
    apart = {
        name: judge(
            seed,
            one.numbers(numbers),
            [lived[group] for group in todo if group.apart == name],
            only=one.rules,
            learns_days=one.learns_days,
        )
        for name, one in CLASSES.items()
    }
    return replace(found, apart=apart)


def live(group: DeviceGroup, rules: Sequence[Definition] | None = None) -> Lived:
    """Live through the whole run with one group; `rules` None means the default packs."""
    known = kinds.load()
    apart = CLASSES.get(group.apart)
    if apart is None:
        town = of_kind(bench_town(group.seed, known, group.numbers), group.kind)
    else:
        town = apart.town(group.seed, known, group.numbers)
    definitions = default_packs(known) if rules is None else rules
    platform = Platform(town.kinds, registry_of(town), definitions)
    start = first_instant(group.seed)
    end = start + round(group.numbers.days * DAY_US)
    labelled = Collected()
    devices = [d for d in town.sensing if d.kind == group.kind][group.first : group.last]
    stage = StagedDevices(town, devices)
    living = stage.devices if apart is None else [apart.around(d, town.seed) for d in stage.devices]
    carriers = [Carrier(d, town, start, labelled, stage.has_power(d.name)) for d in living]
    live_rules = [Rule(definition=rule, version=1) for rule in definitions]
    sweeps = Sweeps(live_rules, town.kinds[group.kind], registry_of(town), [d.name for d in devices])
    platform.on_accepted = sweeps.receive
    alerts: list[Opening] = []
    under_way: list[Message] = []
    at = start
    while at < end:
        at = min(at + DAY_US, end)
        under_way += [message for carrier in carriers for message in carrier.until(at)]
        under_way.sort(key=lambda message: message.received_at)
        arrived = [message for message in under_way if message.received_at < at]
        under_way = under_way[len(arrived) :]
        alerts += platform.take(arrived)
        sweeps.connect(presence for carrier in carriers for presence in carrier.connections())
        alerts += sweeps.until(at)
    for carrier in carriers:
        carrier.close(end)
    faults = stage.close(labelled.lines, start, end)
    if apart is not None:
        faults = apart.relabel(faults)
    return Lived(faults=faults, alerts=alerts, forecasts=sweeps.forecasts(end), readings=platform.readings)


def judge(
    seed: int,
    numbers: Numbers,
    lived: Sequence[Lived],
    rules: Sequence[Definition] | None = None,
    only: Collection[str] = (),
    learns_days: float = 0.0,
) -> RuleBenchResult:
    """Match and score what happened in all groups.

    Args:
        rules: None means the default packs.
        only: judge these alone, all if empty.
        learns_days: what begins in the first days is not judged.
    """
    known = kinds.load()
    definitions = default_packs(known) if rules is None else rules
    judged = {d.id: d for d in definitions if not only or d.id in only}
    labelled = {**EXPECTED, **LONG_RUN, **SWEPT, **(APART if only else {})}
    names = [rule for rule in judged if rule in labelled]
    end = first_instant(seed) + round(numbers.days * DAY_US)
    faults = [
        _unless_forecast(fault_of(line, end), part.forecasts.get(line.device, ()))
        for part in lived
        for line in part.faults
    ]
    alerts = _rightly_dated([alert for part in lived for alert in part.alerts], faults)
    known_from = first_instant(seed) + round(learns_days * DAY_US)
    found = match(
        [replace(f, detectable=f.detectable and f.start >= known_from) for f in faults if f.rule in judged],
        [a for a in alerts if a.rule in names and a.opened_at >= known_from],
        lambda rule, interval_s: allowance.hold_us(judged[rule], interval_s),
    )
    lost = [fault for fault in faults if fault.rule not in judged and fault.detectable]
    days = {rule: _device_days(judged[rule], numbers, known) for rule in names}
    return RuleBenchResult(
        seed=seed,
        device_days=sum(numbers.of(kind) for kind in _GROUP) * numbers.days,
        readings=sum(part.readings for part in lived),
        scores=tuple(score(found, names, days, lambda f: allowance.allowed_us(judged[f.rule], f) / 1e6)),
        found=found,
        without_rule={rule: sum(f.rule == rule for f in lost) for rule in sorted({f.rule for f in lost})},
    )


def _rightly_dated(alerts: Sequence[Opening], faults: Sequence[Fault]) -> list[Opening]:
    """Return the alerts with the time of receipt, where the device's own clock was wrong by label."""
    wrong: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        if fault.rule == CLOCK_WRONG:
            wrong[fault.device].append(fault)
    return [
        replace(alert, opened_at=alert.received_at)
        if any(f.start <= alert.received_at <= f.end for f in wrong[alert.device])
        else alert
        for alert in alerts
    ]


def _unless_forecast(fault: Fault, forecasts: Sequence[tuple[int, int]]) -> Fault:
    """Return a fault, none that must be found where a forecast from before still stood when it began."""
    if fault.rule != fullness.RULE:
        return fault
    known = any(opened < fault.earliest and fault.start < closed for opened, closed in forecasts)
    return replace(fault, detectable=fault.detectable and not known)


def _device_days(rule: Definition, numbers: Numbers, known: Mapping[str, Kind]) -> float:
    judged = [rule.kind] if rule.kind is not None else list(known)
    return sum(numbers.of(kind) for kind in judged) * numbers.days
