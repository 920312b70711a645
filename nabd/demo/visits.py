"""How people of the demo do their work: how long each step takes, and what they report. Pure.

Must not know when, nor which order; texts are in the technician's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, Language
from work.report import UsedPart, WorkReport

MINUTE_S = 60.0
DECLINES, FAILS = 0.08, 0.07
"""Shares of visits that are declined at first, and that mend nothing."""
USUAL = 15.0
"""How many times faster than in a town everything goes where the demo's clock runs as ours does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit, in seconds of the town's clock.

    dispatch_s: from the alert to the order; accept_s: until it is accepted; then until somebody leaves,
    arrives, and is done. declines: the first who is asked cannot come. fails: what was done does not help.
    """

    dispatch_s: float
    accept_s: float
    leave_s: float
    drive_s: float
    work_s: float
    declines: bool
    fails: bool

    @property
    def lasts_s(self) -> float:
        """Return the seconds from the acceptance until it is done."""
        return self.leave_s + self.drive_s + self.work_s


def plan_visit(rng: np.random.Generator, *, faster: float = 1.0) -> Visit:
    """Draw a visit; faster: how many times quicker than in a real town each step is."""

    def drawn(low_min: float, high_min: float) -> float:
        return float(rng.uniform(low_min, high_min)) * MINUTE_S / faster

    return Visit(
        dispatch_s=drawn(3, 12),
        accept_s=drawn(2, 20),
        leave_s=drawn(1, 15),
        drive_s=drawn(8, 35),
        work_s=drawn(10, 60),
        declines=bool(rng.random() < DECLINES),
        fails=bool(rng.random() < FAILS),
    )


def how_much_faster(speed: float) -> float:
    """Return how much quicker than real ones visits are under a clock of this speed.

    At the wall's speed a visit takes minutes, so that there is something to see; at 15 times that and more
    they take what they take.
    """
    return max(1.0, USUAL / speed)


def report_of(rng: np.random.Generator, language: Language, found: Mapping[str, str]) -> WorkReport:
    """Return what a technician reports; found: what the alert says, by language."""
    number = int(rng.integers(3))
    parts = [UsedPart(name=text(language, "visit.part"))] if number == 1 else []
    return WorkReport(
        found=found.get(language) or found.get(DEFAULT, ""), done=_done(language, number), parts=parts
    )


def _done(language: Language, number: int) -> str:
    match number:
        case 0:
            return text(language, "visit.repaired")
        case 1:
            return text(language, "visit.replaced")
        case _:
            return text(language, "visit.cleaned")
