"""Labelled faults: what was really wrong, from when to when, and which rule should have seen it.

The label comes from ground truth, never from what was reported or from a rule's formula. Knows no MQTT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from firmware_sim.physics.model import SECOND, Truth

SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a rule: it sees `fault` once it held for `lasts_s` and so many readings more."""

    fault: str
    lasts_s: float
    readings: float = 2.0


EXPECTED: Mapping[str, Expectation] = {
    "bin-overflow": Expectation(fault="overflow", lasts_s=0),
    "bin-fire": Expectation(fault="fire", lasts_s=15),
    "bin-tipped": Expectation(fault="tipped", lasts_s=600),
    "bin-battery-low": Expectation(fault="battery low", lasts_s=0, readings=3),
    "light-lamp-failure": Expectation(fault="lamp failure", lasts_s=300),
    "light-day-burner": Expectation(fault="day burner", lasts_s=1800),
    "light-dimming-failure": Expectation(fault="dimming failure", lasts_s=900),
    "light-over-voltage": Expectation(fault="over voltage", lasts_s=600),
    "light-under-voltage": Expectation(fault="under voltage", lasts_s=600),
    "drone-battery-low": Expectation(fault="battery below the way home", lasts_s=5),
    "drone-clogged-nozzle": Expectation(fault="clogged nozzle", lasts_s=10),
    "drone-wrong-dose": Expectation(fault="wrong dose", lasts_s=25),
    "drone-geofence": Expectation(fault="outside the geofence", lasts_s=3),
    SILENT: Expectation(fault="silence", lasts_s=120, readings=3),
}
"""How long each fault must hold before a rule built on the published starting points can see it."""


class FaultLine(msgspec.Struct, kw_only=True):
    """One labelled fault. `end` is null when it still held at shutdown.

    earliest: from here on an alert is honest, for faults that announce themselves.
    detectable: whether it held long enough for a right rule.
    """

    device: str
    fault: str
    start: str
    end: str | None
    expect: str
    earliest: str
    detectable: bool


@dataclass(slots=True, kw_only=True)
class _Open:
    start: int
    earliest: int


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

    def __init__(self, device: str, log: FaultLog, delay_s: float) -> None:
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
        self._last, self._interval_s = now, interval_s
        for expect, state in truth.items():
            if state.holds or state.near:
                self._near.setdefault(expect, before)
                if state.holds and expect not in self._open:
                    self._open[expect] = _Open(start=now, earliest=self._near[expect])
            else:
                self._near.pop(expect, None)
                if expect in self._open:
                    self._close(expect, now, ended=True)

    def close(self, now: int) -> None:
        """Write what still holds at shutdown, with no end."""
        for expect in list(self._open):
            self._close(expect, now, ended=False)

    def _close(self, expect: str, now: int, *, ended: bool) -> None:
        label = self._open.pop(expect)
        lasted_s = (now - label.start) / SECOND
        self._log.write(
            FaultLine(
                device=self._device,
                fault=EXPECTED[expect].fault,
                start=rfc3339(label.start),
                end=rfc3339(now) if ended else None,
                expect=expect,
                earliest=rfc3339(label.earliest),
                detectable=lasted_s >= self._needed_s(expect, ended=ended),
            )
        )

    def _needed_s(self, expect: str, *, ended: bool) -> float:
        """Seconds that it must hold. Rules live in event time, so the platform's own delay counts only
        for what is judged by the clock (silence) and for what shutdown cuts short."""
        expected = EXPECTED[expect]
        if expect == SILENT:
            return max(expected.lasts_s, expected.readings * self._interval_s) + self._delay_s
        delay_s = 0.0 if ended else self._delay_s
        return expected.lasts_s + expected.readings * self._interval_s + delay_s


def rfc3339(instant: int) -> str:
    """Return microseconds since 1970 as RFC 3339 in UTC with milliseconds."""
    at = datetime.fromtimestamp(instant // SECOND, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{instant % SECOND // 1000:03d}Z"
