"""What people may enter for a kind: its measurements by name, in their units, within what can be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from devices.acceptable import is_number
from devices.kinds.kind import TEXT_LIMIT, Kind, Measurement, ValueType
from devices.registry.errors import Invalid
from devices.storable import storable
from devices.suggestion import meant

Value = float | bool | str
WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
"""What a terminal takes for a boolean."""


def checked(kind: Kind, given: Mapping[str, Value | None]) -> dict[str, Value]:
    """Return the values of a form as a reading says them; those that are None are left out.

    Raises:
        Invalid: field `measurements.<name>`, or `measurements` where nothing is said.
    """
    offered = {m.name: m for m in kind.by_hand}
    found: dict[str, Value] = {}
    for name, value in given.items():
        if name not in offered:
            why = f"a {kind.name} has no such measurement for people; {meant(name, offered)}"
            raise Invalid(f"measurements.{name}", why)
        if value is not None:
            found[name] = _checked(offered[name], value)
    if not found:
        raise Invalid("measurements", "say at least one value")
    return found


def parsed(kind: Kind, texts: Mapping[str, str]) -> dict[str, Value | None]:
    """Return values that were typed at a terminal, as `checked` takes them.

    Raises:
        Invalid: a text is no number, or no boolean.
    """
    types = {m.name: m.type for m in kind.by_hand}
    return {name: _parsed(name, text, types.get(name, ValueType.TEXT)) for name, text in texts.items()}


def counters(kind: Kind, values: Mapping[str, Value]) -> dict[str, float]:
    """Return those of checked values that only grow."""
    grows = {m.name for m in kind.measurements if m.counter}
    return {name: float(value) for name, value in values.items() if name in grows}


def digits(value: float) -> str:
    """Return a number with all its digits, and without an exponent."""
    return f"{Decimal(repr(float(value))).normalize():f}"


def _checked(measurement: Measurement, value: Value) -> Value:
    field = f"measurements.{measurement.name}"
    match measurement.type:
        case ValueType.BOOLEAN:
            if not isinstance(value, bool):
                raise Invalid(field, "say true or false")
            return value
        case ValueType.TEXT:
            if not isinstance(value, str):
                raise Invalid(field, "write a text")
            return _word(measurement, value, field)
        case ValueType.NUMBER:
            if not is_number(value):
                raise Invalid(field, "write a number")
            return _in_range(measurement, float(value), field)


def _word(measurement: Measurement, value: str, field: str) -> str:
    text = storable(value.strip())
    if not 1 <= len(text) <= TEXT_LIMIT:
        raise Invalid(field, f"write a text of 1 to {TEXT_LIMIT} characters")
    choices = {choice.casefold(): choice for choice in measurement.choices}
    if choices and text.casefold() not in choices:
        raise Invalid(field, f"{text!r} is no choice; {meant(text, measurement.choices)}")
    return choices.get(text.casefold(), text)


def _in_range(measurement: Measurement, value: float, field: str) -> float:
    unit = f" {measurement.unit}" if measurement.unit else ""
    low, high = measurement.low, measurement.high
    if low is not None and value < low:
        raise Invalid(field, f"{digits(value)}{unit} is less than can be: at least {digits(low)}{unit}")
    if high is not None and value > high:
        raise Invalid(field, f"{digits(value)}{unit} is more than can be: at most {digits(high)}{unit}")
    if value in measurement.error_codes:
        raise Invalid(field, f"{digits(value)} is what a broken sensor of this kind says")
    return value


def _parsed(name: str, text: str, type_: ValueType) -> Value:
    if type_ is ValueType.TEXT:
        return text
    if type_ is ValueType.BOOLEAN:
        if text.casefold() not in WORDS:
            raise Invalid(f"measurements.{name}", f"{text!r} is neither true nor false")
        return WORDS[text.casefold()]
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"measurements.{name}", f"{text!r} is no number") from None
