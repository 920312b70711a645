"""Families of sweep rules beside silence: what each is told, and how its part of a rule file is read.

Pure. Must not know how a family is judged (rules.sweeps) or YAML (rules.loading.reader).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alerts.transition import Severity
from devices.kinds.kind import AttributeType, Kind, ValueType
from rules.definition.durations import duration_us, intervals
from rules.definition.errors import RuleError, closest, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A measurement against a number, or a share of others, over the newest reading only.

    factors: measurements and numeric attributes: their product times `value` is what it is compared with.
    """

    measurement: str
    operator: Literal["<", "<=", ">", ">="]
    value: float
    factors: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it looks at."""
        return (self.measurement, *self.factors)


ANY_KIND = "any"
"""In place of one kind: whatever hangs on a gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenDown:
    """Most of what hangs on one structural device went dark or silent together: one incident on the parent.

    of: the children's kind, or ANY_KIND. share: how many of those that lived must be down. clear: down to
    which share it ends. within_us: how far apart their ends may lie beside their reporting interval.
    at_least: fewer children prove nothing. missing: intervals without a reading that count as silent. dark,
    lit: over a
    child's newest reading, all must hold; `lit` proves the end of darkness.
    """

    of: str
    share: float
    clear: float
    within_us: int
    at_least: int
    missing: float
    severity: Severity
    dark: tuple[Comparison, ...] = ()
    lit: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenApart:
    """Several of what hangs on one structural device measure too little, or too much, together.

    Their cause lies before them: one incident on the parent. of: the children's kind. group: a text attribute
    of theirs, equal for those on one conductor. nominal: a numeric attribute that says what is right;
    tolerance: share of it that is still right. minimum: how far from the median of all is far, in the
    measurement's unit. at_least, share: fewer than so many, or than such a part, are faults of their own;
    of a declared group two are enough that are most of it. lasting_us: for how long.
    """

    of: str
    measurement: str
    group: str | None
    nominal: str | None
    tolerance: float
    minimum: float
    at_least: int
    share: float
    lasting_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRefreshed:
    """The device speaks, but one measurement it used to send has been missing or suspect for so long."""

    measurement: str
    missing: float
    at_least_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A value far from the median of what stands around it, or hangs on the same parent.

    within_m: size of the neighbourhood; None means the devices of one parent. at_least: values a median
    needs. off_by: how many robust standard deviations are far. minimum: and how much at least, in the
    measurement's unit. lasting_us: for how long.
    """

    measurement: str
    within_m: float | None
    at_least: int
    off_by: float
    minimum: float
    lasting_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a measurement that fills and is emptied will reach a level.

    within_us, clear_us: the alert opens when four chances in five are nearer than the first, and ends when
    the expected time is farther than the second. emptied_by: a fall that is an emptying, not settling, in
    the unit; where little was in it half of that is, down to a quarter of this.
    """

    measurement: str
    reaches: float
    within_us: int
    clear_us: int
    emptied_by: float
    severity: Severity


Sweep = ChildrenDown | ChildrenApart | NotRefreshed | Neighbours | Forecast

_NAME, _NUMBER = r"[a-z][a-z0-9_]*", r"-?\d+(?:\.\d+)?"
_COMPARISON = re.compile(
    rf"({_NAME})\s*(<=|>=|<|>)\s*(?:({_NUMBER})((?:\s*\*\s*{_NAME})*)|({_NAME}(?:\s*\*\s*{_NAME})*))"
)
_METRES = re.compile(r"(\d+(?:\.\d+)?)\s*m")
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


def comparisons(text: str) -> tuple[Comparison, ...]:
    """Return "power_w < 0.04 * rated_power_w and dim_pct >= 1" as comparisons.

    Raises:
        RuleError: it is something else.
    """
    found = [_COMPARISON.fullmatch(part.strip()) for part in text.split(" and ")]
    if not all(found):
        raise RuleError(f"{text!r} is not comparisons such as power_w < 5 and dim_pct >= 1")
    return tuple(
        Comparison(
            measurement=m[1],
            operator=m[2],  # type: ignore[arg-type]
            value=float(m[3] or 1),
            factors=tuple(re.findall(_NAME, m[4] or m[5] or "")),
        )
        for m in found
        if m
    )


def severity(text: str) -> Severity:
    """Return the severity of that name.

    Raises:
        RuleError: there is none.
    """
    if text not in set(Severity):
        raise RuleError(f"{text} is not a severity", suggestion=closest(text, Severity))
    return Severity(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise RuleError(f"{text!r} is not a number") from None
    if not abs(number) < 1e300:
        raise RuleError(f"{text[:20]!r} is not a number that anything measures")
    return number


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise RuleError(f"{text!r} is not a whole number")
    return int(text)


def _metres(text: str) -> float:
    found = _METRES.fullmatch(text)
    if not found:
        raise RuleError(f"{text!r} is not a distance such as 500 m")
    return float(found[1])


def _share(text: str) -> float:
    share = _number(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= share <= 1:
        raise RuleError(f"{text!r} is not a share such as 60% or 0.6")
    return share


FAMILIES: Mapping[str, FamilySyntax] = {
    "children_down": FamilySyntax(
        make=ChildrenDown,
        keys={
            "of": (str, _NEEDED),
            "share": (_share, 0.6),
            "clear": (_share, 0.3),
            "within": (duration_us, 300_000_000),
            "at_least": (_whole, 3),
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
            "tolerance": (_share, 0.1),
            "minimum": (_number, _NEEDED),
            "at_least": (_whole, 3),
            "share": (_share, 0.2),
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
            "within": (_metres, None),
            "at_least": (_whole, 5),
            "off_by": (_number, 6.0),
            "minimum": (_number, 0.0),
            "for": (duration_us, 1_800_000_000),
            "severity": (severity, Severity.WARNING),
        },
        values=("value", "median", "neighbours"),
    ),
    "forecast": FamilySyntax(
        make=Forecast,
        keys={
            "measurement": (str, _NEEDED),
            "reaches": (_number, _NEEDED),
            "within": (duration_us, 86_400_000_000),
            "clear": (duration_us, 151_200_000_000),
            "emptied_by": (_number, 8.0),
            "severity": (severity, Severity.WARNING),
        },
        values=("value", "rate_per_h", "hours", "hours_p80"),
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
