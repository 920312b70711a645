"""One measurement of a reading: where its value stands and how it becomes what the kind stores. Pure.

In this order: a value that says "not measured", words, a number (also out of a text such as "2000 mm"),
scale, geometry of the container, unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.kinds.kind import TEXT_LIMIT, Measurement, ValueType
from devices.wire.adapters.profile.paths import ValuePath
from devices.wire.adapters.profile.units import BadUnit, Linear, converter

Scalar = float | bool | str
Attributes = Mapping[str, object]

_NUMBER = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*)?")
_LONGEST_NUMBER = 64
"""Characters of a text that may be a number with its unit."""
_TRUE = frozenset({"true", "on", "yes", "1"})
_FALSE = frozenset({"false", "off", "no", "0"})


class BadValue(ValueError):
    """A value cannot become one of its measurement; the text says why."""


class NotMeasured(Exception):
    """A value says of itself that nothing was measured; the text says how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """Distance to fill: at `empty` there is nothing in it, `depth` nearer it is full; mm, or attributes."""

    empty: float | str
    depth: float | str

    def share(self, distance_mm: float, attributes: Attributes) -> float:
        """Return how full it is, 0 to 1.

        Raises:
            BadValue: an attribute is not known, or the depth is not above 0.
        """
        depth = _known("depth", self.depth, attributes)
        if not depth > 0:
            raise BadValue(f"the depth of the container is {depth:g} mm")
        return min(max((_known("empty", self.empty, attributes) - distance_mm) / depth, 0.0), 1.0)


def _known(name: str, value: float | str, attributes: Attributes) -> float:
    if isinstance(value, str):
        found = attributes.get(value)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise BadValue(
                f"{name} of the container is the attribute {value}, which the device does not have"
            )
        return float(found)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """How one measurement is read.

    paths: the first one that leads somewhere counts.
    unit: of the value where it stands; empty for the measurement's own.
    scale, add: value * scale + add, before anything is converted.
    words: what texts and numbers mean, by their lower-case text.
    none: values, numbers and lower-case texts, that say "not measured"; none_at_start: those that say so in
    the first messages after a start, while the counter is 0 or 1.
    """

    measurement: Measurement
    paths: tuple[ValuePath, ...]
    unit: str = ""
    scale: float = 1.0
    add: float = 0.0
    words: Mapping[str, Scalar] = field(default_factory=dict)
    none: frozenset[float | str] = frozenset()
    none_at_start: frozenset[float | str] = frozenset()
    container: Container | None = None
    linear: Linear = (1.0, 0.0)

    def convert(
        self, raw: object, counter: int | None, attributes: Attributes, unit: str | None = None
    ) -> Scalar:
        """Return what the measurement is.

        Args:
            unit: what the source says that a number is in; counts where the profile says nothing of it.

        Raises:
            NotMeasured: the value says that nothing was measured.
            BadValue: it is nothing that the measurement can be.
        """
        self._check_measured(raw, counter)
        if self.words and (word := self.words.get(_word(raw))) is not None:
            return word
        match self.measurement.type:
            case ValueType.BOOLEAN:
                return self._flag(raw)
            case ValueType.TEXT:
                return self._text(raw)
            case ValueType.NUMBER:
                return self._number(raw, attributes, unit)

    def _check_measured(self, raw: object, counter: int | None) -> None:
        if raw is None or (isinstance(raw, float) and not math.isfinite(raw)):
            raise NotMeasured("it is no value")
        if not (self.none or self.none_at_start):
            return
        key = sentinel(raw)
        if key in self.none:
            raise NotMeasured("stands for not measured")
        if key in self.none_at_start and counter is not None and counter <= 1:
            raise NotMeasured("stands for not measured in the first message after a start")

    def _flag(self, raw: object) -> bool:
        word = _word(raw)
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        raise BadValue(f"neither yes nor no: say what it means in words = {{{_quoted(raw)} = true}}")

    def _text(self, raw: object) -> str:
        if not isinstance(raw, str | int | float):
            raise BadValue("not a text")
        text = str(raw)
        if len(text) > TEXT_LIMIT or "\0" in text:
            raise BadValue(f"a text has at most {TEXT_LIMIT} characters, and no U+0000")
        return text

    def _number(self, raw: object, attributes: Attributes, unit: str | None) -> float:
        said_here = self.unit or (self.scale, self.add) != (1.0, 0.0)
        linear = self.linear if unit is None or said_here else self._linear(unit)
        if isinstance(raw, str):
            number, linear = self._parsed(raw)
        elif isinstance(raw, int | float) and not isinstance(raw, bool):
            number = _float(raw)
        else:
            raise BadValue("not a number")
        number = number * self.scale + self.add
        if self.container is not None:
            factor, summand = linear
            share = self.container.share(number * factor + summand, attributes)
            linear = converter("fraction", self.measurement.unit)
            number = share
        converted = rounded(number * linear[0] + linear[1])
        if not math.isfinite(converted):
            raise BadValue("too large for a number")
        return converted

    def _parsed(self, text: str) -> tuple[float, Linear]:
        """Return the number in a text, and how its own unit converts where it names one."""
        text = text.strip()
        if len(text) > _LONGEST_NUMBER:
            raise BadValue(f"not a number: a number with its unit has at most {_LONGEST_NUMBER} characters")
        match = _NUMBER.fullmatch(text)
        if match is None:
            hint = f"say what it means in words = {{{_quoted(text)} = ...}}"
            raise BadValue(f"not a number; {hint}")
        number = float(match[1].replace(",", "."))
        if match[2] is None:
            return number, self.linear
        return number, self._linear(match[2])

    def _linear(self, unit: str) -> Linear:
        """Return how a number in a unit converts."""
        try:
            return converter(unit, "mm" if self.container else self.measurement.unit)
        except BadUnit as error:
            raise BadValue(str(error)) from None


def rounded(number: float) -> float:
    """Return a number without what binary fractions add: 31 * 0.1 is 3.1."""
    return float(f"{number:.10g}")


def sentinel(value: object) -> float | str:
    """Return a value as the sets of `none` hold it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(_float(value), 6)
    return _word(value)


def _float(number: float) -> float:
    """Return a number as a double, infinity where it is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _word(raw: object) -> str:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return str(raw).strip().casefold()


def _quoted(raw: object) -> str:
    return f'"{_word(raw)}"'
