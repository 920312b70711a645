"""When which device breaks: an opening that shows something early, then seeded chance.

Knows causes by name and how long they last; not what they do (physics) nor who notices (faults).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.model import DAY_S, SECOND

SILENCE = "silence"
"""The device's electronics stop."""
LINK_LOSS = "link_loss"
"""The device goes on measuring but cannot send."""
FROZEN = "frozen_values"
"""The device's software repeats its last values, with new times."""
CLOCK_OFF = "clock_off"
"""The device's clock is wrong."""
INSTANT = 1.0
"""Duration of a cause that only starts something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that can go wrong by chance: how long it lasts, and its weight among the others."""

    name: str
    shortest_s: float
    longest_s: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A cause that starts at `start` (or once the device is ready for it) and lasts `lasts_s`."""

    cause: str
    start: int
    lasts_s: float


_ANYWHERE = (
    Cause(name=SILENCE, shortest_s=60, longest_s=3600, weight=0.5),
    Cause(name=LINK_LOSS, shortest_s=30, longest_s=900, weight=1.5),
)
CAUSES: Mapping[str, tuple[Cause, ...]] = {
    "bin": (
        Cause(name="fire", shortest_s=30, longest_s=2400),
        Cause(name="tipped", shortest_s=300, longest_s=5400),
        Cause(name="weak_cell", shortest_s=3600, longest_s=14400, weight=0.5),
        *_ANYWHERE,
    ),
    "light": (
        Cause(name="open_led", shortest_s=1800, longest_s=28800),
        Cause(name="welded_relay", shortest_s=1200, longest_s=21600),
        Cause(name="blind_photocell", shortest_s=1200, longest_s=21600),
        Cause(name="stuck_bright", shortest_s=1800, longest_s=28800),
        Cause(name="stuck_dim", shortest_s=600, longest_s=28800),
        Cause(name="loose_neutral_high", shortest_s=20, longest_s=3600),
        Cause(name="loose_neutral_low", shortest_s=20, longest_s=3600),
        *_ANYWHERE,
    ),
    "drone": (
        Cause(name="clogged", shortest_s=8, longest_s=180, weight=2),
        Cause(name="wrong_rate", shortest_s=10, longest_s=180, weight=2),
        Cause(name="runaway", shortest_s=20, longest_s=60),
        Cause(name=LINK_LOSS, shortest_s=20, longest_s=180),
    ),
}

_HOUR_S = 3600.0
LONG_RUN: Mapping[str, tuple[Cause, ...]] = {
    "bin": (
        Cause(name="smoulder", shortest_s=60, longest_s=5400, weight=2),
        Cause(name="lean", shortest_s=240, longest_s=4 * _HOUR_S, weight=2),
        Cause(name="leaky_cell", shortest_s=2 * DAY_S, longest_s=7 * DAY_S, weight=2),
        Cause(name="moved", shortest_s=_HOUR_S, longest_s=2 * DAY_S, weight=3.5),
        Cause(name="frozen_echo", shortest_s=2 * DAY_S, longest_s=8 * DAY_S, weight=1.7),
        Cause(name="blocked_echo", shortest_s=4 * _HOUR_S, longest_s=3 * DAY_S, weight=1.5),
        Cause(name="unused", shortest_s=DAY_S, longest_s=6 * DAY_S, weight=0.5),
        Cause(name=SILENCE, shortest_s=300, longest_s=8 * _HOUR_S, weight=0.7),
        Cause(name=LINK_LOSS, shortest_s=300, longest_s=4 * _HOUR_S, weight=0.7),
        Cause(name=FROZEN, shortest_s=_HOUR_S, longest_s=3 * DAY_S, weight=1.2),
        Cause(name=CLOCK_OFF, shortest_s=_HOUR_S, longest_s=2 * DAY_S, weight=1.2),
    ),
    "light": (
        Cause(name="dark_led", shortest_s=_HOUR_S, longest_s=2 * DAY_S, weight=1.3),
        Cause(name="welded_relay", shortest_s=_HOUR_S, longest_s=DAY_S, weight=0.7),
        Cause(name="blind_photocell", shortest_s=_HOUR_S, longest_s=DAY_S, weight=0.7),
        Cause(name="stuck_dimming", shortest_s=_HOUR_S, longest_s=DAY_S, weight=2),
        Cause(name="neutral_shift", shortest_s=60, longest_s=DAY_S, weight=4),
        Cause(name="dead_modules", shortest_s=2 * DAY_S, longest_s=7 * DAY_S, weight=2),
        Cause(name="flicker", shortest_s=1200, longest_s=12 * _HOUR_S, weight=3),
        Cause(name="worn_capacitor", shortest_s=_HOUR_S, longest_s=2 * DAY_S, weight=1.5),
        Cause(name="fouled_heatsink", shortest_s=2 * _HOUR_S, longest_s=3 * DAY_S),
        Cause(name="struck", shortest_s=2 * _HOUR_S, longest_s=3 * DAY_S, weight=1.6),
        Cause(name="old_lamp", shortest_s=2 * DAY_S, longest_s=8 * DAY_S),
        Cause(name=SILENCE, shortest_s=600, longest_s=DAY_S, weight=0.4),
        Cause(name=LINK_LOSS, shortest_s=600, longest_s=12 * _HOUR_S, weight=0.4),
        Cause(name=FROZEN, shortest_s=_HOUR_S, longest_s=4 * DAY_S, weight=0.8),
        Cause(name=CLOCK_OFF, shortest_s=_HOUR_S, longest_s=4 * DAY_S, weight=0.8),
    ),
    "drone": (
        Cause(name="clogged_partly", shortest_s=6, longest_s=120, weight=1.3),
        Cause(name="rate_off", shortest_s=10, longest_s=120),
        Cause(name="runaway", shortest_s=20, longest_s=60),
        Cause(name="deaf", shortest_s=60, longest_s=400, weight=2),
        Cause(name="weak_pack", shortest_s=60, longest_s=2 * _HOUR_S, weight=1.5),
        Cause(name="blocked_fan", shortest_s=600, longest_s=_HOUR_S, weight=2),
        Cause(name="leak", shortest_s=20, longest_s=200, weight=1.5),
        Cause(name="pump_stop", shortest_s=4, longest_s=60),
        Cause(name="off_course", shortest_s=10, longest_s=90, weight=3),
        Cause(name="climbs", shortest_s=15, longest_s=60, weight=2),
        Cause(name="jammed", shortest_s=4, longest_s=60),
        Cause(name=LINK_LOSS, shortest_s=8, longest_s=400, weight=3.5),
    ),
}
"""What breaks in months, at the pace of months. What is drawn when it begins may lie near a rule's limit."""

MEAN_DAYS: Mapping[str, float] = {"bin": 2.5, "light": 2.0, "drone": 0.006}
"""Mean days from the end of one of these to the next, by kind."""

SERVICE: Mapping[str, str] = {"bin": "truck"}
"""What a visit does at a device beside mending it, by kind."""

OPENING: Mapping[tuple[str, int], tuple[tuple[str, float, float], ...]] = {
    # (kind, index in the town) -> (cause, seconds after the start, seconds it lasts)
    ("bin", 0): (("truck", 2, INSTANT),),
    ("bin", 2): (("fire", 4, 1500), ("tipped", 7200, 2400)),
    ("bin", 3): (("fire", 9, 28),),
    ("bin", 4): (("tipped", 10, 1800),),
    ("bin", 5): (("weak_cell", 6, 14400),),
    ("bin", 6): ((SILENCE, 8, 2400),),
    ("bin", 7): ((LINK_LOSS, 8, 12), (LINK_LOSS, 2400, 600)),
    ("bin", 9): (("fire", 600, 1800), ("fire", 9000, 20)),
    ("light", 0): (("open_led", 0, 43200),),
    ("light", 1): (("blind_photocell", 0, 28800),),
    ("light", 2): (("stuck_dim", 0, 43200),),
    ("light", 3): (("loose_neutral_high", 7, 1800),),
    ("light", 4): (("loose_neutral_low", 9, 1800),),
    ("light", 5): (("welded_relay", 1200, 10800),),
    ("light", 6): (("loose_neutral_high", 3600, 1200),),
    ("light", 7): (("stuck_bright", 0, 43200),),
    ("drone", 0): (
        ("clogged", 3, 16),
        ("clogged", 300, 90),
        ("wrong_rate", 1500, 120),
        (LINK_LOSS, 3600, 90),
    ),
    ("drone", 1): (("runaway", 3, 22), ("wrong_rate", 600, 150)),
    ("drone", 2): (("deaf", 60, 1200),),
}


class Schedule:
    """The causes of one device in order: its opening, then one after another by chance."""

    def __init__(
        self,
        opening: tuple[tuple[str, float, float], ...],
        causes: tuple[Cause, ...],
        *,
        mean_days: float,
        start: int,
        rng: np.random.Generator,
    ) -> None:
        self._causes = causes if mean_days > 0 else ()
        self._mean_s = mean_days * DAY_S
        self._rng = rng
        self._queue = [
            PlannedFault(cause=cause, start=start + round(after * SECOND), lasts_s=lasts)
            for cause, after, lasts in opening
        ]
        last = self._queue[-1] if self._queue else PlannedFault(cause="", start=start, lasts_s=0)
        self._draw(last.start + round(last.lasts_s * SECOND))

    @property
    def next_start(self) -> int | None:
        """When the next cause may start; None when nothing more will break."""
        return self._queue[0].start if self._queue else None

    @property
    def next_cause(self) -> str:
        """Name of the next cause; empty when nothing more will break."""
        return self._queue[0].cause if self._queue else ""

    def take(self, now: int) -> PlannedFault:
        """Remove and return the next cause, which begins `now`; draw another once the list is empty."""
        planned = self._queue.pop(0)
        if not self._queue:
            self._draw(now + round(planned.lasts_s * SECOND))
        return planned

    def _draw(self, after: int) -> None:
        if not self._causes:
            return
        weights = np.array([c.weight for c in self._causes])
        cause = self._causes[int(self._rng.choice(len(self._causes), p=weights / weights.sum()))]
        self._queue.append(
            PlannedFault(
                cause=cause.name,
                start=after + round(float(self._rng.exponential(self._mean_s)) * SECOND),
                lasts_s=float(self._rng.uniform(cause.shortest_s, cause.longest_s)),
            )
        )
