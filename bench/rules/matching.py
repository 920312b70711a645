"""Alerts against faults, one to one: which alert was about which fault. Pure.

An alert is about a fault of the same device that expects its rule when it opened between the fault's first
honest moment and its end, with the rule's own hold and one and a half reporting intervals on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.rules.judged import Opening
from devices.instants import of_rfc3339
from firmware_sim.faults import FaultLine

GRACE_INTERVALS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One labelled fault; microseconds. `end` of one that still held is the end of the run.

    interval_s: the longest between two readings while it held. reports_s: between those that showed it first.
    """

    rule: str
    device: str
    start: int
    earliest: int
    end: int
    detectable: bool
    interval_s: float
    reports_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What became of every alert and every fault.

    seen: fault and the alert about it. missed: faults that a right rule would have seen and nobody saw.
    false: alerts about nothing, or about what another alert had told already. unobservable: faults nobody
    saw that no rule could: too short between two messages, or hidden by another fault.
    """

    seen: tuple[tuple[Fault, Opening], ...]
    missed: tuple[Fault, ...]
    false: tuple[Opening, ...]
    unobservable: tuple[Fault, ...] = ()


def fault_of(line: FaultLine, run_end: int) -> Fault:
    """Read a label."""
    return Fault(
        rule=line.expect,
        device=line.device,
        start=of_rfc3339(line.start),
        earliest=of_rfc3339(line.earliest),
        end=run_end if line.end is None else of_rfc3339(line.end),
        detectable=line.detectable,
        interval_s=line.interval_s,
        reports_s=line.reports_s or line.interval_s,
    )


def match(faults: Iterable[Fault], alerts: Iterable[Opening], hold_us: Callable[[str, float], int]) -> Match:
    """Match alerts with faults.

    Args:
        hold_us: a rule's `for` in microseconds, given its id and a reporting interval in seconds.
    """
    waiting: dict[tuple[str, str], list[Fault]] = defaultdict(list)
    for fault in sorted(faults, key=lambda f: f.start):
        waiting[fault.rule, fault.device].append(fault)
    seen: list[tuple[Fault, Opening]] = []
    false: list[Opening] = []
    for alert in sorted(alerts, key=lambda a: a.opened_at):
        open_faults = waiting[alert.rule, alert.device]
        about = _about(alert, open_faults, hold_us)
        if about is None:
            false.append(alert)
        else:
            open_faults.remove(about)
            seen.append((about, alert))
    unseen = [fault for left in waiting.values() for fault in left]
    return Match(
        seen=tuple(seen),
        missed=tuple(fault for fault in unseen if fault.detectable),
        false=tuple(false),
        unobservable=tuple(fault for fault in unseen if not fault.detectable),
    )


def _about(alert: Opening, faults: Sequence[Fault], hold_us: Callable[[str, float], int]) -> Fault | None:
    """Return the fault that holds when the alert opens, else the first whose grace it is in."""
    possible = [f for f in faults if f.earliest <= alert.opened_at <= _latest(f, hold_us)]
    holding = [f for f in possible if alert.opened_at <= f.end]
    return next(iter(holding or possible), None)


def _latest(fault: Fault, hold_us: Callable[[str, float], int]) -> int:
    grace = GRACE_INTERVALS * fault.interval_s * 1e6
    return fault.end + hold_us(fault.rule, fault.interval_s) + round(grace)
