"""The tree of routes: which one an alert takes at an instant, and what that route asks for.

Pure. A route's children are asked before it answers itself; the first that matches counts. Must not know how
a tree is written (route_reader) nor who the receivers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from alerts.transition import Severity
from notify.facts import AlertFacts, EscalationStep, NotificationPlan
from notify.routing.local_clock import LocalCalendar, LocalHours, LocalSpan, shifted

DEFAULT_GROUP_FOR_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteMatch:
    """Which alerts a route is for; empty takes any.

    rules: ids; with a * at the end all that begin so. rule_routes: what rules say of who cares. hours: None:
    always; a span over midnight belongs to the day on which it begins.
    """

    municipalities: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    districts: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rule_routes: tuple[str, ...] = ()
    hours: LocalHours | None = None

    def takes(self, facts: AlertFacts, at: int, calendar: LocalCalendar) -> bool:
        """Tell whether the route is for an alert at an instant (microseconds since 1970-01-01Z)."""
        asked = (
            (self.municipalities, facts.municipality),
            (self.kinds, facts.kind),
            (self.severities, facts.severity),
            (self.districts, facts.district),
            (self.rule_routes, facts.route),
        )
        if any(wanted and found not in wanted for wanted, found in asked):
            return False
        if self.rules and not any(_is_rule(pattern, facts.rule) for pattern in self.rules):
            return False
        if self.hours is None:
            return True
        return self.hours.span(calendar.weekend).around(at, calendar.zone) is not None


def _is_rule(pattern: str, rule: str) -> bool:
    return rule.startswith(pattern[:-1]) if pattern.endswith("*") else rule == pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route, with what it has from its parent filled in.

    steps: empty tells nobody. repeat_s: None: never. quiet_hours: local spans of the day in which steps wait.
    children: asked before it, in their order.
    """

    name: str
    match: RouteMatch = RouteMatch()
    steps: tuple[EscalationStep, ...] = ()
    repeat_s: float | None = None
    group_for_s: float = DEFAULT_GROUP_FOR_S
    resolved: bool = True
    quiet_hours: tuple[LocalSpan, ...] = ()
    children: Sequence[Route] = ()

    def find(self, facts: AlertFacts, at: int, calendar: LocalCalendar) -> Route:
        """Return the route that answers for an alert which this one is for: a descendant, or itself."""
        for child in self.children:
            if child.match.takes(facts, at, calendar):
                return child.find(facts, at, calendar)
        return self

    def receivers(self) -> frozenset[str]:
        """Return every receiver that it or a descendant names."""
        own = frozenset(receiver for step in self.steps for receiver in step.receivers)
        return own.union(*(child.receivers() for child in self.children))

    def plan(self, at: int, zone: ZoneInfo) -> NotificationPlan:
        """Return what this route asks for from an instant on."""
        after_s = shifted(at, [step.after_s for step in self.steps], self.quiet_hours, zone)
        return NotificationPlan(
            route=self.name,
            steps=tuple(
                EscalationStep(after_s=s, receivers=step.receivers)
                for s, step in zip(after_s, self.steps, strict=True)
            ),
            repeat_s=self.repeat_s,
            group_for_s=self.group_for_s,
            resolved=self.resolved,
            quiet_hours=tuple((q.start_min, q.end_min, tuple(sorted(q.days))) for q in self.quiet_hours),
            time_zone=zone.key if self.quiet_hours else "UTC",
        )
