"""Layers of an on-call schedule as people write them, as they are stored, and as they decide. Pure.

Written: {"people": ["amal", "rima"], "start": "2026-03-02", "turn_days": 7, "handover": "08:00", "hours":
"18:00-08:00", "days": "workdays"}; the last two may be left out. Stored the same with numbers of people and
of days. Must not know the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from devices.registry.errors import Invalid
from devices.suggestion import meant
from notify.routing.local_clock import EVERY_DAY, WEEKEND, WORKDAYS, LocalHours
from notify.routing.rotation import OnCallLayer
from people.contact_settings import minute_of
from rules.definition.errors import RuleError
from rules.definition.spans import local_time

NEEDED = ("people", "start", "turn_days", "handover")
KEYS = (*NEEDED, "hours", "days")
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_LAYERS, MOST_PEOPLE, LONGEST_TURN = 10, 100, 366


def check_layers(layers: object) -> None:
    """Refuse layers that are none.

    Raises:
        Invalid: with the first mistake.
    """
    if not isinstance(layers, list) or not 1 <= len(layers) <= MOST_LAYERS:
        raise Invalid("layers", f"is a list of 1 to {MOST_LAYERS} layers")
    for i, layer in enumerate(layers):
        _check(f"layers[{i}]", layer)


def _check(field: str, layer: object) -> None:
    if not isinstance(layer, dict):
        raise Invalid(field, f"has {', '.join(NEEDED)}")
    for key in layer:
        if key not in KEYS:
            raise Invalid(f"{field}.{key}", f"is no part of a layer; {meant(str(key), KEYS)}")
    for key in NEEDED:
        if key not in layer:
            raise Invalid(f"{field}.{key}", "is missing")
    for key, (is_right, said) in _CHECKS.items():
        if key in layer and not is_right(layer[key]):
            raise Invalid(f"{field}.{key}", said)


def _are_people(people: object) -> bool:
    return (
        isinstance(people, list)
        and 1 <= len(people) <= MOST_PEOPLE
        and all(isinstance(name, str) for name in people)
    )


def _is_day(text: object) -> bool:
    try:
        return isinstance(text, str) and 1970 <= date.fromisoformat(text).year < 9998 and len(text) == 10
    except ValueError:
        return False


def _is_turn(days: object) -> bool:
    return isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= LONGEST_TURN


def _are_hours(text: object) -> bool:
    if text is None:
        return True
    try:
        start, end = local_time(text if isinstance(text, str) else "")
    except RuleError:
        return False
    return start != end


def _are_days(days: object) -> bool:
    if days is None or days in (WEEKEND, WORKDAYS):
        return True
    return isinstance(days, list) and bool(days) and all(day in WEEK for day in days)


_CHECKS = {
    "people": (_are_people, f"is a list of 1 to {MOST_PEOPLE} names"),
    "start": (_is_day, "is the day of the first turn, such as 2026-03-02"),
    "turn_days": (_is_turn, f"is a number of days, 1 to {LONGEST_TURN}"),
    "handover": (lambda text: minute_of(text) is not None, "is a local time such as 08:00"),
    "hours": (_are_hours, "is a span of the day such as 18:00-08:00"),
    "days": (_are_days, f"is {WORKDAYS}, {WEEKEND} or a list of {', '.join(WEEK)}"),
}


def stored(layers: Sequence[Mapping[str, Any]], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return checked layers as they are stored.

    Args:
        ids: numbers of people by name.
    """
    return [_numbered(layer, ids) for layer in layers]


def _numbered(layer: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    days = layer.get("days")
    if isinstance(days, list):
        days = sorted(WEEK.index(day) + 1 for day in set(days))
    kept = {**layer, "people": [ids[name] for name in layer["people"]], "days": days}
    return {key: kept[key] for key in KEYS if kept.get(key) is not None}


def written(layers: Sequence[Mapping[str, Any]], names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return stored layers as people write them; who was deleted is not among them any more."""
    found = []
    for layer in layers:
        days = layer.get("days")
        if isinstance(days, list):
            days = [WEEK[day - 1] for day in days]
        people = [names[number] for number in layer["people"] if number in names]
        shown = {**layer, "people": people, "days": days}
        found.append({key: shown[key] for key in KEYS if shown.get(key) is not None})
    return found


def deciding(layer: Mapping[str, Any]) -> OnCallLayer:
    """Return a stored layer as it decides."""
    hours, days = layer.get("hours"), layer.get("days")
    counts = None
    if hours is not None or days is not None:
        counts = LocalHours(
            minutes=local_time(hours) if hours is not None else None,
            days=days if isinstance(days, str) else frozenset(days) if days else EVERY_DAY,
        )
    return OnCallLayer(
        people=tuple(layer["people"]),
        start=date.fromisoformat(layer["start"]),
        turn_days=layer["turn_days"],
        handover_min=minute_of(layer["handover"]) or 0,
        hours=counts,
    )
