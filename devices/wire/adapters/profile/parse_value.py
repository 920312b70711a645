"""How one measurement is read: [readings.values] name = "path", or {from = "path", ...}.

Must not know the rest of a profile.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.kinds.kind import AttributeType, Kind, Measurement, ValueType
from devices.suggestion import closest
from devices.wire.adapters.profile.table import ProfileTable
from devices.wire.adapters.profile.units import BadUnit, Linear, converter
from devices.wire.adapters.profile.values import Container, Scalar, Value, sentinel

_VALUE = ("from", "unit", "scale", "add", "words", "none", "none_at_start", "container")
_CONTAINER = ("empty", "depth")
_TYPES: Mapping[ValueType, tuple[tuple[type, ...], str]] = {
    ValueType.NUMBER: ((int, float), "a number"),
    ValueType.BOOLEAN: ((bool,), "true or false"),
    ValueType.TEXT: ((str,), "a text"),
}
_FOR_NUMBERS = ("unit", "scale", "add", "container")


def read_value(values: ProfileTable, name: str, kind: Kind) -> Value | None:
    """Return how the measurement `name` is read, None where its table cannot be."""
    measurement = kind.measurement(name)
    if isinstance(values.members[name], str | list):
        paths = values.paths(name)
        return Value(measurement=measurement, paths=paths) if paths else None
    table = values.table(name, _VALUE)
    if table is None:
        return None
    if "from" not in table:
        table.wrong("", f'{name} has no from: say where it stands, such as {{from = "a.b", unit = "mm"}}')
    if measurement.type is not ValueType.NUMBER:
        for key in _FOR_NUMBERS:
            if key in table:
                table.wrong(key, f"{key} is for numbers, and {name} is {_TYPES[measurement.type][1]}")
    container = _container(table, kind)
    return Value(
        measurement=measurement,
        paths=table.paths("from"),
        unit=table.text("unit"),
        scale=table.number("scale", 1.0),
        add=table.number("add", 0.0),
        words=_words(table, measurement),
        none=_sentinels(table, "none"),
        none_at_start=_sentinels(table, "none_at_start"),
        container=container,
        linear=_linear(table, measurement, container),
    )


def _linear(table: ProfileTable, measurement: Measurement, container: Container | None) -> Linear:
    """Return how the number converts: to the measurement's unit, to mm before the geometry of a container."""
    if measurement.type is not ValueType.NUMBER:
        return 1.0, 0.0
    target = "mm" if container is not None else measurement.unit
    try:
        if container is not None:
            converter("fraction", measurement.unit)
        return converter(table.text("unit") or target, target)
    except BadUnit as error:
        known = ", ".join(sorted(error.choices))
        listing = f"; known: {known}" if len(error.choices) < 20 else ""
        unit = table.text("unit")
        table.wrong(
            "unit", f"{measurement.name} is in {target}: {error}{listing}", closest(unit, error.choices)
        )
        return 1.0, 0.0


def _words(table: ProfileTable, measurement: Measurement) -> dict[str, Scalar]:
    words = table.members.get("words", {})
    if not isinstance(words, dict):
        table.wrong("words", "words is a table such as {tilt = true, normal = false}")
        return {}
    types, said = _TYPES[measurement.type]
    found: dict[str, Scalar] = {}
    value: Scalar
    for word, value in words.items():
        if not isinstance(value, types) or isinstance(value, bool) is not (
            measurement.type is ValueType.BOOLEAN
        ):
            table.wrong("words", f"{measurement.name} is {said}, and {word} would be {value!r}")
        elif measurement.choices and value not in measurement.choices:
            known = ", ".join(measurement.choices)
            why = f"{value!r} is no {measurement.name}; known: {known}"
            table.wrong("words", why, closest(str(value), measurement.choices))
        else:
            found[word.strip().casefold()] = value
    return found


def _sentinels(table: ProfileTable, key: str) -> frozenset[float | str]:
    value = table.members.get(key, [])
    several = value if isinstance(value, list) else [value]
    if not all(isinstance(entry, int | float | str) for entry in several):
        table.wrong(key, f"{key} is a list of numbers and texts such as [65535, -1]")
        return frozenset()
    return frozenset(sentinel(entry) for entry in several)


def _container(table: ProfileTable, kind: Kind) -> Container | None:
    part = table.table("container", _CONTAINER)
    if part is None:
        return None
    empty, depth = _length(part, "empty", kind), _length(part, "depth", kind)
    return None if empty is None or depth is None else Container(empty=empty, depth=depth)


def _length(part: ProfileTable, key: str, kind: Kind) -> float | str | None:
    """Return millimetres, or the name of an attribute that has them."""
    value = part.members.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    known = {a.name for a in kind.attributes if a.type is AttributeType.NUMBER and a.unit == "mm"}
    if value in known:
        return str(value)
    said = f"{key} is millimetres, or an attribute of a {kind.name} that has them"
    part.wrong(key, f"{said}; known: {', '.join(sorted(known)) or 'none'}", closest(str(value), known))
    return None
