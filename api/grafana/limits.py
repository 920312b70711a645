"""Where charts change colour: limits of the default rules, for devices without attributes of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from alerts.transition import Severity
from api.grafana.board import ColourStep
from devices.kinds import load
from devices.kinds.kind import Kind
from rules.definition.definition import Definition
from rules.explain.limits import RuleLimit, limits_of
from rules.loading.files import default_packs

CALM = "green"
COLOURS: Mapping[Severity, str] = {
    Severity.CRITICAL: "dark-red",
    Severity.MAJOR: "red",
    Severity.MINOR: "orange",
    Severity.WARNING: "yellow",
}
"""From the worst to the mildest."""


def steps_of(kind: Kind, measurement: str) -> tuple[ColourStep, ...]:
    """Return the colours of a measurement from its lowest value on; green alone where no rule limits it.

    Of several limits at one value the worst counts, and between two limits the worse of their sides.
    """
    limits = [limit for limit in _limits(kind) if limit.measurement == measurement]
    values: list[float | None] = [None, *sorted({limit.value for limit in limits})]
    found: list[ColourStep] = []
    for value in values:
        colour = _colour(limits, value)
        if not found or found[-1].colour != colour:
            found.append(ColourStep(value=value, colour=colour))
    return tuple(found)


def _colour(limits: list[RuleLimit], value: float | None) -> str:
    """Return the colour from a value on, up to the next limit."""
    reached = {
        limit.severity
        for limit in limits
        if (limit.side == "above" and value is not None and value >= limit.value)
        or (limit.side == "below" and (value is None or value < limit.value))
    }
    return next((colour for severity, colour in COLOURS.items() if severity in reached), CALM)


def _limits(kind: Kind) -> list[RuleLimit]:
    measurements = {one.name for one in kind.measurements}
    return [
        limit
        for rule in _rules()
        if rule.kind == kind.name
        for limit in limits_of(rule.id, _levels(rule), rule.let, measurements, {})
    ]


def _levels(rule: Definition) -> Mapping[str, str]:
    """Return a rule's conditions by severity, as text."""
    return {str(severity): condition for severity, condition in rule.levels.items()}


@cache
def _rules() -> Sequence[Definition]:
    return default_packs(load())
