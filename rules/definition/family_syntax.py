"""How rule files write each family of sweep rules, and what is read from that. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alerts.transition import Severity
from devices.kinds.kind import AttributeType, Kind, ValueType
from rules.definition.durations import duration_us, intervals
from rules.definition.errors import RuleError, closest, together
from rules.definition.families import (
    ANY_KIND,
    Behind,
    ChildrenApart,
    ChildrenDown,
    Forecast,
    Neighbours,
    NotRefreshed,
    Sweep,
)
from rules.definition.family_values import comparisons, metres, number, severity, share, whole

_NEEDED = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySyntax:
    """How one family is written.

    keys: reader of each key's text, and its default (_NEEDED without). values: names that summaries may use.
    structural: it judges gateways, circuits and cabinets, not declared kinds.
    """

    make: Callable[..., Sweep]
    keys: Mapping[str, tuple[Callable[[str], Any], Any]]
    values: tuple[str, ...]
    structural: bool = False


FAMILIES: Mapping[str, FamilySyntax] = {
    "children_down": FamilySyntax(
        make=ChildrenDown,
        keys={
            "of": (str, _NEEDED),
            "share": (share, 0.6),
            "clear": (share, 0.3),
            "within": (duration_us, 300_000_000),
            "at_least": (whole, 3),
            "missing": (intervals, 1.5),
            "severity": (severity, Severity.CRITICAL),
            "dark": (comparisons, ()),
            "lit": (comparisons, ()),
        },
        values=("children", "down", "dark", "silent"),
        structural=True,
    ),
    "children_apart": FamilySyntax(
        make=ChildrenApart,
        keys={
            "of": (str, _NEEDED),
            "measurement": (str, _NEEDED),
            "group": (str, None),
            "nominal": (str, None),
            "tolerance": (share, 0.1),
            "minimum": (number, _NEEDED),
            "at_least": (whole, 3),
            "share": (share, 0.2),
            "for": (duration_us, 600_000_000),
            "severity": (severity, Severity.MAJOR),
        },
        values=("children", "apart", "value", "median"),
        structural=True,
    ),
    "not_refreshed": FamilySyntax(
        make=NotRefreshed,
        keys={
            "measurement": (str, _NEEDED),
            "missing": (intervals, 6.0),
            "at_least": (duration_us, 3_600_000_000),
            "severity": (severity, Severity.WARNING),
        },
        values=("missing_h",),
    ),
    "neighbours": FamilySyntax(
        make=Neighbours,
        keys={
            "measurement": (str, _NEEDED),
            "within": (metres, None),
            "at_least": (whole, 5),
            "off_by": (number, 6.0),
            "minimum": (number, 0.0),
            "for": (duration_us, 1_800_000_000),
            "severity": (severity, Severity.WARNING),
        },
        values=("value", "median", "neighbours"),
    ),
    "forecast": FamilySyntax(
        make=Forecast,
        keys={
            "measurement": (str, _NEEDED),
            "reaches": (number, _NEEDED),
            "within": (duration_us, 86_400_000_000),
            "clear": (duration_us, 151_200_000_000),
            "emptied_by": (number, 8.0),
            "severity": (severity, Severity.WARNING),
        },
        values=("value", "rate_per_h", "hours", "hours_p80"),
    ),
    "behind": FamilySyntax(
        make=Behind,
        keys={
            "for": (duration_us, 7 * 86_400_000_000),
            "severity": (severity, Severity.WARNING),
        },
        values=("firmware", "wanted"),
    ),
}

_NAMES = {shape.make: name for name, shape in FAMILIES.items()}


def family_name(sweep: Sweep) -> str:
    """Return the family's name as rule files write it."""
    return _NAMES[type(sweep)]


_RENAMED = {
    ("children_down", "within"): "within_us",
    ("children_apart", "for"): "lasting_us",
    ("not_refreshed", "at_least"): "at_least_us",
    ("neighbours", "within"): "within_m",
    ("neighbours", "for"): "lasting_us",
    ("behind", "for"): "lasting_us",
    ("forecast", "within"): "within_us",
    ("forecast", "clear"): "clear_us",
}
"""Keys of files whose field carries its unit."""


def read_family(name: str, given: Mapping[str, str], kind: Kind | None, kinds: Mapping[str, Kind]) -> Sweep:
    """Return the family `name` as its keys say.

    Args:
        kind: the rule's declared kind, None when it is structural.

    Raises:
        RuleError: `file` is the key that is wrong, empty for the family itself.
    """
    shape = FAMILIES[name]
    mistakes = [
        RuleError(f"{name} has no {key!r}", file=key, suggestion=closest(key, shape.keys))
        for key in given
        if key not in shape.keys
    ]
    values: dict[str, Any] = {}
    for key in shape.keys:
        try:
            values[_RENAMED.get((name, key), key)] = _value(name, key, given)
        except RuleError as error:
            mistakes.append(error)
            values[_RENAMED.get((name, key), key)] = None
    family = shape.make(**values)
    try:
        _check_measurements(family, _kind_of(family, kind, kinds))
    except RuleError as error:
        mistakes.append(error)
    if mistakes:
        raise together(mistakes)
    return family


def _value(name: str, key: str, given: Mapping[str, str]) -> Any:
    read, default = FAMILIES[name].keys[key]
    if key not in given:
        if default is _NEEDED:
            raise RuleError(f"{name} needs `{key}`")
        return default
    try:
        return read(given[key].strip())
    except RuleError as error:
        raise RuleError(f"{name}, {key}: {error.message}", file=key, suggestion=error.suggestion) from None


def _kind_of(family: Sweep, kind: Kind | None, kinds: Mapping[str, Kind]) -> Kind:
    if isinstance(family, ChildrenDown) and family.of == ANY_KIND:
        if family.dark or family.lit:
            raise RuleError("dark and lit name measurements: `of` is one kind then", file="of")
        return next(iter(kinds.values()))
    if isinstance(family, Behind):
        return kind or next(iter(kinds.values()))  # it reads no measurement
    if isinstance(family, ChildrenDown | ChildrenApart):
        if family.of not in kinds:
            raise RuleError(f"there is no kind {family.of}", file="of", suggestion=closest(family.of, kinds))
        return kinds[family.of]
    if kind is None:
        raise RuleError("it judges a measurement: kind is one that is declared")
    return kind


def _measurements(family: Sweep) -> list[tuple[str, str]]:
    """Return the measurements a family names, each with the key that does; not those that cannot be read."""
    if isinstance(family, ChildrenDown):
        named = [("dark", name) for c in family.dark or () for name in c.names]
        return named + [("lit", name) for c in family.lit or () for name in c.names]
    if isinstance(family, Behind):
        return []
    return [("measurement", family.measurement)] if family.measurement else []


def _check_measurements(family: Sweep, kind: Kind) -> None:
    numbers = [m.name for m in kind.measurements if m.type is ValueType.NUMBER]
    if isinstance(family, ChildrenDown):
        numbers += [a.name for a in kind.attributes if a.type is AttributeType.NUMBER]
    mistakes = _unknown_attributes(family, kind)
    mistakes += [
        RuleError(
            f"{kind.name} measures no number {measurement}",
            file=key,
            suggestion=closest(measurement, numbers),
        )
        for key, measurement in _measurements(family)
        if measurement not in numbers
    ]
    if mistakes:
        raise together(mistakes)


def _unknown_attributes(family: Sweep, kind: Kind) -> list[RuleError]:
    if not isinstance(family, ChildrenApart):
        return []
    asked = (("group", family.group, AttributeType.TEXT), ("nominal", family.nominal, AttributeType.NUMBER))
    known = {type_: [a.name for a in kind.attributes if a.type is type_] for _, _, type_ in asked}
    return [
        RuleError(f"{kind.name} has no {type_} {name!r}", file=key, suggestion=closest(name, known[type_]))
        for key, name, type_ in asked
        if name is not None and name not in known[type_]
    ]
