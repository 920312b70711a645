"""What a match is worth, rule by rule: precision, recall, delay, false alerts. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.rules.matching import Fault, Match

FEWEST_FAULTS = 30
"""With fewer faults a share says nothing."""
_Z95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """One rule, or all of them ("overall").

    faults: those a right rule can see; detected: of them. alerts: all that opened; false_alerts: of them.
    unobservable: faults that no rule could see, and none did.
    Intervals are Wilson's at 95 %. Delays are seconds from the start of the fault, None without any;
    delay_allowed_s: median of what is allowed. in_time: share of detected faults that were told within what
    is allowed for each.
    """

    rule: str
    faults: int
    detected: int
    alerts: int
    false_alerts: int
    delay_median_s: float | None
    delay_p95_s: float | None
    delay_allowed_s: float | None
    in_time: float | None
    device_days: float
    unobservable: int = 0

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
    def late(self) -> bool:
        """Tell whether more than half of the faults were told later than allowed."""
        return self.in_time is not None and self.in_time < 0.5

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


def score(
    found: Match,
    rules: Sequence[str],
    device_days: Mapping[str, float],
    allowed_s: Callable[[Fault], float],
) -> list[RuleScore]:
    """Return the score of each rule, in the order given, and of all together at the end.

    Args:
        device_days: of the devices that each rule judges, by rule.
        allowed_s: how many seconds after its start a fault may be told.
    """
    scores = [_one(found, rule, {rule}, device_days[rule], allowed_s) for rule in rules]
    everything = max(device_days.values(), default=0.0)
    return [*scores, _one(found, "overall", set(rules), everything, allowed_s)]


def _one(
    found: Match, name: str, rules: set[str], device_days: float, allowed_s: Callable[[Fault], float]
) -> RuleScore:
    seen = [(fault, alert) for fault, alert in found.seen if fault.rule in rules]
    detected = [(fault, alert) for fault, alert in seen if fault.detectable]
    delays = [max(0, alert.opened_at - fault.start) / 1e6 for fault, alert in detected]
    allowed = [allowed_s(fault) for fault, _ in detected]
    in_time = sum(delay <= most for delay, most in zip(delays, allowed, strict=True))
    false = sum(alert.rule in rules for alert in found.false)
    return RuleScore(
        rule=name,
        faults=len(detected) + sum(fault.rule in rules for fault in found.missed),
        detected=len(detected),
        alerts=len(seen) + false,
        false_alerts=false,
        delay_median_s=round(float(np.median(delays)), 1) if delays else None,
        delay_p95_s=round(float(np.quantile(delays, 0.95)), 1) if delays else None,
        delay_allowed_s=round(float(np.median(allowed)), 1) if allowed else None,
        in_time=in_time / len(delays) if delays else None,
        device_days=device_days,
        unobservable=sum(fault.rule in rules for fault in found.unobservable),
    )
