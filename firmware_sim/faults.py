"""Labelled faults: what was really wrong, from when to when, and which rule should have seen it.

The label comes from ground truth, never from what was reported or from a rule's formula. Knows no MQTT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from firmware_sim.physics.model import SECOND, Truth

SILENT = "silent"
LOST_LINK = "drone-lost-link"
FROZEN_VALUES = "frozen-values"
CLOCK_WRONG = "clock-wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a rule: it sees `fault` once it held for `lasts_s` and so many readings more.

    unbroken: whether it must hold without a break. Where a moment decides nothing (a dose while the
    aircraft turns) what held before the moment still counts, as long as the fault stayed near.
    gone_s: what returns within this time and one reading was never over. Where a value wavers around its
    limit (mains, a flight along the field's edge) a moment on the right side is no repair.
    """

    fault: str
    lasts_s: float
    readings: float = 2.0
    unbroken: bool = True
    gone_s: float = 0.0


EXPECTED: Mapping[str, Expectation] = {
    "bin-overflow": Expectation(fault="overflow", lasts_s=0),
    "bin-fire": Expectation(fault="fire", lasts_s=15),
    "bin-tipped": Expectation(fault="tipped", lasts_s=600),
    "bin-battery-low": Expectation(fault="battery low", lasts_s=0, readings=3),
    "light-lamp-failure": Expectation(fault="lamp failure", lasts_s=300),
    "light-day-burner": Expectation(fault="day burner", lasts_s=1800),
    "light-dimming-failure": Expectation(fault="dimming failure", lasts_s=900),
    "light-over-voltage": Expectation(fault="over voltage", lasts_s=600, gone_s=600),
    "light-under-voltage": Expectation(fault="under voltage", lasts_s=600, gone_s=600),
    "drone-battery-low": Expectation(fault="battery below the way home", lasts_s=5),
    "drone-clogged-nozzle": Expectation(fault="clogged nozzle", lasts_s=10, unbroken=False),
    "drone-wrong-dose": Expectation(fault="wrong dose", lasts_s=25, unbroken=False),
    "drone-geofence": Expectation(fault="outside the geofence", lasts_s=3),
    SILENT: Expectation(fault="silence", lasts_s=120, readings=3),
}
"""How long each fault must hold before a rule built on the published starting points can see it."""

BY_RECEIPT = (SILENT, LOST_LINK)
"""What is judged by the platform's clock: nothing came."""

_DAY_S = 86_400.0
LONG_RUN: Mapping[str, Expectation] = {
    FROZEN_VALUES: Expectation(fault="frozen values", lasts_s=_DAY_S),
    CLOCK_WRONG: Expectation(fault="clock wrong", lasts_s=9 * 3600),
    "bin-moved": Expectation(fault="moved", lasts_s=3 * 3600),
    "bin-sensor-frozen": Expectation(fault="sensor frozen", lasts_s=3 * _DAY_S),
    "bin-sensor-blocked": Expectation(fault="sensor blocked", lasts_s=0.5 * _DAY_S),
    "light-partial-failure": Expectation(fault="partial failure", lasts_s=3 * _DAY_S, readings=0),
    "light-cycling": Expectation(fault="cycling", lasts_s=1800),
    "light-low-power-factor": Expectation(fault="low power factor", lasts_s=3600),
    "light-high-temperature": Expectation(fault="high temperature", lasts_s=900),
    "light-pole-hit": Expectation(fault="pole hit", lasts_s=0),
    "light-end-of-life": Expectation(fault="end of life", lasts_s=0),
    "drone-cell-imbalance": Expectation(fault="cell imbalance", lasts_s=30),
    "drone-hot-battery": Expectation(fault="hot battery", lasts_s=10),
    "drone-leak": Expectation(fault="leak", lasts_s=30, unbroken=False),
    "drone-pump-failure": Expectation(fault="pump failure", lasts_s=5),
    "drone-off-target": Expectation(fault="off target", lasts_s=5, gone_s=5),
    "drone-altitude": Expectation(fault="too high", lasts_s=5),
    "drone-poor-fix": Expectation(fault="poor fix", lasts_s=5),
    "drone-lost-link": Expectation(fault="lost link", lasts_s=10, readings=3),
}
"""The same for faults that only show in months of town: see plan.LONG_RUN."""


SWEPT: Mapping[str, Expectation] = {
    "circuit-down": Expectation(fault="circuit without power", lasts_s=300, readings=0),
    "light-voltage-apart": Expectation(fault="voltage unlike its neighbours'", lasts_s=1800),
    "bin-temperature-missing": Expectation(fault="thermometer dead", lasts_s=3600),
    "bin-full-soon": Expectation(fault="full within a day", lasts_s=10 * 3600, readings=0),
}
"""The same for what no single reading can tell."""


APART: Mapping[str, Expectation] = {
    "light-hours-too-fast": Expectation(fault="hours counted in seconds", lasts_s=0, readings=3),
    "light-energy-too-fast": Expectation(fault="energy counted in watt-hours", lasts_s=0, readings=3),
    "drone-gauge-fault": Expectation(fault="leaping battery gauge", lasts_s=0, readings=5),
    "circuit-voltage": Expectation(fault="phase low or high", lasts_s=600),
    "light-meter-fault": Expectation(fault="meter contradicts itself", lasts_s=0, readings=4),
}
"""The same for what no device of the town has, only classes of devices that are judged apart."""


def expectation(rule: str) -> Expectation:
    """Return what is expected of a rule."""
    return EXPECTED.get(rule) or LONG_RUN.get(rule) or APART.get(rule) or SWEPT[rule]


class FaultLine(msgspec.Struct, kw_only=True):
    """One labelled fault. `end` is null when it still held at shutdown.

    earliest: from here on an alert is honest, for faults that announce themselves.
    detectable: whether it held long enough for a right rule, where the sensor could see it. seen: whether the
    sensor could see it at all.
    interval_s: the longest reporting interval of the device while it held. reports_s: the interval of what
    shows it, when it could first be seen; 0 for the same.
    """

    device: str
    fault: str
    start: str
    end: str | None
    expect: str
    earliest: str
    detectable: bool
    interval_s: float = 0.0
    reports_s: float = 0.0
    seen: bool = True


@dataclass(slots=True, kw_only=True)
class _Open:
    """A label under way. run: the share, up to now, of what its rule needs; best: the largest so far.

    gone: since when it neither holds nor is near, None while it does. seen: whether its sensor could see it
    yet; `start` is when it first could. reports_s: how often what shows it was reported then.
    """

    start: int
    earliest: int
    interval_s: float
    reports_s: float
    held: bool = True
    run: float = 0.0
    best: float = 0.0
    gone: int | None = None
    seen: bool = True


class FaultSink(Protocol):
    """Where labelled faults go."""

    def write(self, line: FaultLine) -> None:
        """Take one fault that has ended, or that still holds at the end of the run."""


class FaultLog:
    """Writes one JSON line per fault and counts them."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self.count = 0

    def write(self, line: FaultLine) -> None:
        """Append one line at once: faults are rare and worth keeping."""
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        self.count += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Labels:
    """Follows the truth of one device and labels every fault from its start to its end.

    A label opens when the fault holds and closes when it no longer holds nor is near, so that a value
    that hesitates at the limit is one fault.
    """

    def __init__(self, device: str, log: FaultSink, delay_s: float) -> None:
        self._device = device
        self._log = log
        self._delay_s = delay_s
        self._open: dict[str, _Open] = {}
        self._near: dict[str, int] = {}
        self._interval_s = 0.0
        self._last: int | None = None

    def observe(self, now: int, truth: Mapping[str, Truth], interval_s: float) -> None:
        """Take the truth at one instant; `interval_s` is how often the device reports now."""
        before = now if self._last is None else self._last
        known_s = self._interval_s or interval_s
        self._last, self._interval_s = now, interval_s
        for expect, state in truth.items():
            label = self._open.get(expect)
            if label is not None:
                if not label.seen and state.holds and not state.hidden:
                    label.start, label.seen = now, True
                    label.reports_s = max(interval_s, state.every_s)
                if expect not in BY_RECEIPT:
                    label.interval_s = max(label.interval_s, interval_s)
                self._ripen(expect, label, state, now - before, known_s)
            if state.holds or state.near:
                if label is not None:
                    label.gone = None
                self._near.setdefault(expect, before)
                if state.holds and label is None:
                    # Nobody hears from a silent device that it now wants to report more often.
                    every_s = known_s if expect in BY_RECEIPT else interval_s
                    self._open[expect] = _Open(
                        start=now,
                        earliest=self._near[expect],
                        interval_s=every_s,
                        reports_s=max(every_s, state.every_s),
                        held=not state.hidden,
                        seen=not state.hidden,
                    )
            elif label is None:
                self._near.pop(expect, None)
            else:
                label.gone = now if label.gone is None else label.gone
                if now - label.gone >= self._forgotten_after(expect, interval_s):
                    self._near.pop(expect, None)
                    self._close(expect, label.gone, ended=True)

    def _forgotten_after(self, expect: str, interval_s: float) -> int:
        """Return after how many microseconds without it a fault is over."""
        gone_s = expectation(expect).gone_s
        return round((gone_s + interval_s) * SECOND) if gone_s else 0

    def _ripen(self, expect: str, label: _Open, state: Truth, passed: int, interval_s: float) -> None:
        """Add the time since the last look, if the fault held all through it and could be seen."""
        every_s = label.interval_s if expect in BY_RECEIPT else interval_s
        if label.held:
            label.run += passed / SECOND / max(1e-3, self._needed_s(expect, every_s))
            label.best = max(label.best, label.run)
        label.held = state.holds and not state.hidden
        if not label.held and (expectation(expect).unbroken or state.hidden):
            label.run = 0.0

    def close(self, now: int) -> None:
        """Write what still holds at shutdown, with no end."""
        for expect, label in list(self._open.items()):
            held = Truth(holds=label.held, near=True)
            self._ripen(expect, label, held, now - (self._last or now), self._interval_s)
            self._close(expect, label.gone or now, ended=label.gone is not None)

    def _close(self, expect: str, now: int, *, ended: bool) -> None:
        label = self._open.pop(expect)
        needed_s = self._needed_s(expect, label.interval_s)
        # The platform's own delay counts only for what shutdown cuts short: rules live in event time.
        wanted = 1.0 if ended or expect in BY_RECEIPT else 1.0 + self._delay_s / max(1e-3, needed_s)
        self._log.write(
            FaultLine(
                device=self._device,
                fault=expectation(expect).fault,
                start=rfc3339(label.start),
                end=rfc3339(now) if ended else None,
                expect=expect,
                earliest=rfc3339(label.earliest),
                detectable=label.best >= wanted - 1e-9,
                interval_s=label.interval_s,
                reports_s=label.reports_s,
                seen=label.seen,
            )
        )

    def _needed_s(self, expect: str, interval_s: float) -> float:
        """Seconds that it must hold; the platform's delay counts for what is judged by the clock."""
        expected = expectation(expect)
        if expect in BY_RECEIPT:
            return max(expected.lasts_s, expected.readings * interval_s) + self._delay_s
        return expected.lasts_s + expected.readings * interval_s


def rfc3339(instant: int) -> str:
    """Return microseconds since 1970 as RFC 3339 in UTC with milliseconds."""
    at = datetime.fromtimestamp(instant // SECOND, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{instant % SECOND // 1000:03d}Z"
