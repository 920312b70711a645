"""What a match is worth, rule by rule: precision, recall, delay, false alerts. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nabd.rulebench.matching import Match

FEWEST_FAULTS = 30
"""With fewer faults a share says nothing."""
_Z95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """One rule, or all of them ("overall").

    faults: those a right rule can see; detected: of them. alerts: all that opened; false_alerts: of them.
    Intervals are Wilson's at 95 %. Delays are seconds from the start of the fault, None without any.
    """

    rule: str
    faults: int
    detected: int
    alerts: int
    false_alerts: int
    delay_median_s: float | None
    delay_p95_s: float | None
    device_days: float

    @property
    def precision(self) -> float | None:
        """Share of alerts that were about a fault; None when none opened."""
        return None if not self.alerts else 1.0 - self.false_alerts / self.alerts

    @property
    def recall(self) -> float | None:
        """Share of faults that were seen; None when there was none."""
        return None if not self.faults else self.detected / self.faults

    @property
    def precision_interval(self) -> tuple[float, float]:
        """Wilson's interval of the precision."""
        return wilson(self.alerts - self.false_alerts, self.alerts)

    @property
    def recall_interval(self) -> tuple[float, float]:
        """Wilson's interval of the recall."""
        return wilson(self.detected, self.faults)

    @property
    def false_per_1000_device_days(self) -> float:
        """False alerts per 1,000 days of one device of the kind that the rule judges."""
        return 1000.0 * self.false_alerts / self.device_days if self.device_days else 0.0

    @property
    def insufficient(self) -> bool:
        """Tell whether too few faults happened to judge the rule."""
        return self.faults < FEWEST_FAULTS


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (E. B. Wilson, 1927); 0 to 1 without trials."""
    if not trials:
        return 0.0, 1.0
    share, z2 = hits / trials, _Z95**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = _Z95 / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def score(found: Match, rules: Sequence[str], device_days: Mapping[str, float]) -> list[RuleScore]:
    """Return the score of each rule, in the order given, and of all together at the end.

    Args:
        device_days: of the devices that each rule judges, by rule.
    """
    scores = [_one(found, rule, {rule}, device_days[rule]) for rule in rules]
    everything = max(device_days.values(), default=0.0)
    return [*scores, _one(found, "overall", set(rules), everything)]


def _one(found: Match, name: str, rules: set[str], device_days: float) -> RuleScore:
    seen = [(fault, alert) for fault, alert in found.seen if fault.rule in rules]
    detected = [(fault, alert) for fault, alert in seen if fault.detectable]
    delays = [max(0, alert.opened_at - fault.start) / 1e6 for fault, alert in detected]
    false = sum(alert.rule in rules for alert in found.false)
    return RuleScore(
        rule=name,
        faults=len(detected) + sum(fault.rule in rules for fault in found.missed),
        detected=len(detected),
        alerts=len(seen) + false,
        false_alerts=false,
        delay_median_s=round(float(np.median(delays)), 1) if delays else None,
        delay_p95_s=round(float(np.quantile(delays, 0.95)), 1) if delays else None,
        device_days=device_days,
    )
