"""What a kind of device declares: measurements, reporting, derived values, panels, commands.

Pure declarations. This file must not know storage, rules or any particular kind; tables, decoders,
masks, schemas, dashboards and simulator channels are generated from these objects elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from devices import verify_span
from devices.suggestion import meant

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
RESERVED = frozenset(
    {
        "ts",
        "seq",
        "boot",
        "kind",
        "device",
        "extra",
        "quality",
        "device_id",
        "observed_at",
        "received_at",
        "raw",
        "relayed",
        "by_hand",
    }
)
TEXT_LIMIT = 64
"""Longest text measurement, in characters."""

INTERVAL = "interval_s"
"""Attribute of any device: how often this one reports, in seconds, whatever its kind declares."""
MERGE = "merge"
"""Attribute of any device: whether what it says of one instant in several messages is one reading, whatever
its kind declares."""

CLOCK_CORRECTED = 1 << 0
"""Quality bit: the device's clock ran ahead; observed_at carries the stored offset."""
UNDATED = 1 << 1
"""Quality bit: no usable device time; observed_at was derived from the receive time."""
CLOCK_UNSET = 1 << 2
"""Quality bit beside UNDATED: the device's clock was never set, or stands still; it sent an unusable time."""
UNCONFIRMED = 1 << 3
"""Quality bit: a value marked in this reading was not marked before; no rule looks at it, even one that says
`use_suspect`, until a second reading says so too."""
FIRST_MEASUREMENT_BIT = 8
"""Bits below belong to the platform; from here on each measurement owns one bit."""

Text = Mapping[str, str]
"""A sentence or label by language: en, fr and ar."""


def floor_attribute(measurement: str) -> str:
    """Return the attribute that says, for one device, below which value its meter tells nothing."""
    return f"{measurement}_floor"


class ValueType(StrEnum):
    """How a measurement is sent and stored."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"


class AttributeType(StrEnum):
    """What an attribute's value is; a polygon is a GeoJSON Polygon or MultiPolygon object, a curve a text."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    POLYGON = "polygon"
    CURVE = "curve"


class KindError(ValueError):
    """A declaration is not acceptable; the text says which part and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """What a measurement goes through again and again, counted where it begins anew: emptied, in flight.

    Of a number: it falls by at least `falls_by` from one reading to the next. Of a text: it becomes one of
    `into`, and was none of them before. `label` names it where it is counted.
    """

    falls_by: float | None = None
    into: tuple[str, ...] = ()
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One named quantity of a kind.

    `low` and `high` are physical limits for quality, both included, in `unit`; never alert levels.
    `error_codes` are values a sensor sends instead of a measurement. `codes` are too, but may also be
    measured: one is suspect where it comes after a change of more than `leap`, until a second reading says
    the same. `counter`: only grows; a fall is a reset. `most_per_h`: the most that a counter can grow in an
    hour, in `unit`. `circular`: an angle or an hour of the day, where `high` is followed by `low`. `bit` is
    the quality bit that marks this measurement as suspect; a bit is never reused within a kind. Words of a
    text with `choices` are folded to them by case; another word is suspect. Below `floor` a meter cannot tell
    little from nothing; the attribute <name>_floor says it for one device. `reference`: what the value is
    counted from. `cycle`: what hours and days count of it. `of_link`: tells how a message came, not what was
    observed: where a reading comes in parts, that of the first one stays.
    """

    name: str
    bit: int
    unit: str = ""
    type: ValueType = ValueType.NUMBER
    low: float | None = None
    high: float | None = None
    error_codes: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    codes: tuple[float, ...] = ()
    leap: float = 0.0
    counter: bool = False
    most_per_h: float | None = None
    circular: bool = False
    floor: float | None = None
    cycle: Cycle | None = None
    of_link: bool = False
    reference: Text = field(default_factory=dict)
    label: Text = field(default_factory=dict)

    @property
    def looks_back(self) -> bool:
        """Whether what is kept of it depends on the good reading before, however long ago that was."""
        return self.counter or self.cycle is not None

    @property
    def turn(self) -> float | None:
        """How much one turn of a circular measurement is, in `unit`; None for one that is not circular."""
        if not self.circular or self.low is None or self.high is None:
            return None
        return self.high - self.low


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What rules of the kind conclude from several measurements, by one name for all of them.

    `means` is an expression of the rule language, in which other conclusions may be named. It is text here:
    a rule that names it takes it over as if it stood in its `let`.
    """

    name: str
    means: str
    unit: str = ""
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A measurement computed where the device did not report it.

    `compute(values, attributes)` gets float64 arrays of one length (NaN where absent or suspect), one per
    name in `inputs` and `attributes`, and returns the float64 result (NaN where it is unknown).
    """

    measurement: str
    inputs: tuple[str, ...]
    attributes: tuple[str, ...]
    compute: Callable[
        [Mapping[str, NDArray[np.float64]], Mapping[str, NDArray[np.float64]]], NDArray[np.float64]
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """How often a device in this state is expected to report, in seconds.

    The first entry whose condition holds applies: `measurement` is one of `one_of` (text), or at least
    `at_least` (number), counted from the device's attribute `above` where that is given. An entry without a
    measurement always applies.
    """

    every_s: float
    state: str = "normal"
    measurement: str | None = None
    one_of: tuple[str, ...] = ()
    at_least: float | None = None
    above: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Where an attribute that nobody has entered comes from: `measurement` while `text` last said so."""

    measurement: str
    text: str
    one_of: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Something known about a device that it does not measure: geometry, rating, circuit.

    learned: how reporting states, which are counted from it, take it where a device has none. holds_home: of
    a polygon that the device never leaves: home_lat, home_lon lie in it.
    """

    name: str
    unit: str = ""
    type: AttributeType = AttributeType.NUMBER
    default: float | str | bool | None = None
    learned: Learned | None = None
    holds_home: bool = False
    label: Text = field(default_factory=dict)


class ArgumentType(StrEnum):
    """What a command's argument is; a list holds JSON values that only the device interprets."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a command; `low` and `high` are included, in `unit`."""

    name: str
    type: ArgumentType = ArgumentType.NUMBER
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = True
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command of this kind of device, beside those that every device has."""

    name: str
    arguments: tuple[Argument, ...] = ()
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart: the measurements that belong on the same axis."""

    measurements: tuple[str, ...]
    title: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One point that whoever worked on a device answers with yes, no or not applicable."""

    name: str
    label: Text = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProperty:
    """One property of the kind's data model, and where its value comes from.

    of: a measurement or an attribute. factor: what a number is multiplied with. unit_code: the unit then, a
    common code of UN/CEFACT. words: what the model calls a text or boolean (true, false); without a word for
    its value the property is left out. steps: of a number, words and the value up to which each holds, the
    last one without end. refers: the value names a device, whose entity has this type. Without `of`, alerts:
    by rule, the word while an alert of it is open, the first one first, and `otherwise` while none is.
    """

    name: str
    of: str = ""
    factor: float = 1.0
    unit_code: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[tuple[float, str], ...] = ()
    refers: str = ""
    alerts: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it says all that its measurement says."""
        return not (self.words or self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of device.

    Raises:
        KindError: a name breaks the grammar or is reserved, a bit is used twice, or a reference
            names a measurement that does not exist.
    """

    name: str
    title: Text
    headline: str
    measurements: tuple[Measurement, ...]
    reporting: tuple[Reporting, ...]
    icon: str = "device"
    attributes: tuple[Attribute, ...] = ()
    derived: tuple[Derived, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    panels: tuple[Panel, ...] = ()
    commands: tuple[Command, ...] = ()
    configuration: tuple[Argument, ...] = ()
    """What its devices can be set to for good, beside what every device has."""
    checklist: tuple[ChecklistItem, ...] = ()
    model: str = ""
    """What others know its devices as: an entity type of the Smart Data Models; by its name without one."""
    model_home: str = ""
    """The beginning of the IRIs of that type and of its properties, up to their names."""
    properties: tuple[ModelProperty, ...] = ()
    """How measurements and attributes are called there; others keep their names."""
    public: tuple[str, ...] = ()
    """Measurements that open data may tell, where the municipality of a device publishes; else none."""
    inspection: tuple[str, ...] = ()
    """Measurements that a person reads and enters, in the order of the form; without any see `by_hand`."""
    merge: bool = False
    """Whether its devices may say one reading in several messages: a later one fills what is still absent."""
    verify_within: str = "3 intervals"
    """How long readings are watched after a repair, where its rule does not say; see devices.verify_span."""

    def __post_init__(self) -> None:
        _check(self)

    def measurement(self, name: str) -> Measurement:
        """Return the measurement called `name`; KeyError when the kind has none."""
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise KeyError(name)

    @property
    def by_hand(self) -> tuple[Measurement, ...]:
        """What people enter by hand: its inspection form, else all that does not tell how a message came."""
        if self.inspection:
            return tuple(map(self.measurement, self.inspection))
        return tuple(m for m in self.measurements if not m.of_link)

    @property
    def measurement_mask(self) -> int:
        """All quality bits that mark a value, as opposed to a time."""
        return sum(1 << m.bit for m in self.measurements)


def _check(kind: Kind) -> None:
    if not NAME.fullmatch(kind.name):
        raise KindError(f"kind {kind.name!r}: a name is a-z, 0-9 and _, at most 31, letter first")
    if not kind.measurements:
        raise KindError(f"kind {kind.name}: declares no measurement")
    seen: set[str] = set()
    bits: set[int] = set()
    for m in kind.measurements:
        where = f"kind {kind.name}, measurement {m.name!r}"
        if not NAME.fullmatch(m.name) or m.name in RESERVED:
            raise KindError(
                f"{where}: not a free name (a-z, 0-9, _; {', '.join(sorted(RESERVED))} are taken)"
            )
        if m.name in seen:
            raise KindError(f"{where}: declared twice")
        if not FIRST_MEASUREMENT_BIT <= m.bit <= 62 or m.bit in bits:
            raise KindError(f"{where}: bit {m.bit} is not free (use {FIRST_MEASUREMENT_BIT}..62, each once)")
        if m.low is not None and m.high is not None and m.low > m.high:
            raise KindError(f"{where}: low {m.low} is above high {m.high}")
        if why := _unfit(m):
            raise KindError(f"{where}: {why}")
        seen.add(m.name)
        bits.add(m.bit)
    if not kind.reporting or kind.reporting[-1].measurement is not None:
        raise KindError(f"kind {kind.name}: the last reporting entry must have no condition")
    named = [kind.headline, *(r.measurement for r in kind.reporting if r.measurement)]
    named += [n for d in kind.derived for n in (d.measurement, *d.inputs)]
    named += [*kind.public, *kind.inspection]
    named += [n for p in kind.panels for n in p.measurements]
    for name in named:
        if name not in seen:
            raise KindError(f"kind {kind.name}: {name!r} is not one of its measurements; {meant(name, seen)}")
    for conclusion in kind.conclusions:
        if not NAME.fullmatch(conclusion.name) or conclusion.name in seen | RESERVED:
            raise KindError(f"kind {kind.name}, conclusion {conclusion.name!r}: not a free name")
        seen.add(conclusion.name)
    for c in kind.commands:
        if not NAME.fullmatch(c.name) or not all(NAME.fullmatch(a.name) for a in c.arguments):
            raise KindError(f"kind {kind.name}, command {c.name!r}: names are a-z, 0-9 and _, letter first")
    known = {m.name for m in kind.measurements} | {a.name for a in kind.attributes}
    for p in kind.properties:
        if p.of and p.of not in known:
            raise KindError(f"kind {kind.name}, property {p.name!r} is of {p.of!r}; {meant(p.of, known)}")
        if bool(p.of) == bool(p.alerts):
            raise KindError(f"kind {kind.name}, property {p.name!r}: say either `of` or `alerts`")
    setting = [a.name for a in kind.configuration]
    for name in setting:
        if not NAME.fullmatch(name) or name == INTERVAL or setting.count(name) > 1:
            raise KindError(f"kind {kind.name}, configuration {name!r}: not a free name, each once")
    try:
        verify_span.parse(kind.verify_within)
    except ValueError as error:
        raise KindError(f"kind {kind.name}: verify_within {error}") from None
    items = [item.name for item in kind.checklist]
    for name in items:
        if not NAME.fullmatch(name) or items.count(name) > 1:
            raise KindError(f"kind {kind.name}, checklist {name!r}: a name is a-z, 0-9 and _, each once")
    for r in kind.reporting:
        if r.above is not None and r.above not in {a.name for a in kind.attributes}:
            raise KindError(
                f"kind {kind.name}: reporting is above {r.above!r}, which is not an attribute of it"
            )
        if not r.every_s > 0:
            raise KindError(f"kind {kind.name}: reporting state {r.state!r} needs every_s above 0")


def _unfit(m: Measurement) -> str | None:
    """Return what a measurement says of its values that cannot be, None where all can."""
    if m.type is not ValueType.NUMBER and (m.codes or m.circular or m.counter or m.most_per_h):
        return "codes, circular, counter and most_per_h are for numbers"
    if m.circular and not (m.turn or 0) > 0:
        return "circular needs low and high, which are the same place of the circle"
    if m.circular and m.counter:
        return "circular and counter exclude each other"
    if m.most_per_h is not None and not (m.counter and m.most_per_h > 0):
        return "most_per_h is above 0, and for a counter"
    if m.cycle is not None and (why := _no_cycle(m, m.cycle)):
        return why
    return None if m.leap >= 0 else "leap is not negative"


def _no_cycle(m: Measurement, cycle: Cycle) -> str | None:
    match m.type:
        case ValueType.NUMBER if not (m.circular or m.counter):
            fits = not cycle.into and cycle.falls_by is not None and cycle.falls_by > 0
            return None if fits else "the cycle of a number is falls_by, above 0"
        case ValueType.TEXT:
            unknown = set(cycle.into) - set(m.choices or cycle.into)
            fits = bool(cycle.into) and cycle.falls_by is None and not unknown
            return None if fits else "the cycle of a text is into, some of its choices"
        case _:
            return "a cycle is of a text, or of a number that is no counter and not circular"
