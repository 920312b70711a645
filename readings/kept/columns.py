"""What is kept of a measurement for an hour and a day, as columns; and how a view shows it. Pure.

Values that are absent or marked stay out; marked ones are counted. What cannot be merged into days is
not kept: the extremes of a circular measurement, which lie to either side of a mean.
"""

from __future__ import annotations

from enum import StrEnum

from devices.kinds.kind import Kind, Measurement, ValueType
from store.tables import Column, ColumnType, Shown


class Part(StrEnum):
    """One column of a measurement: {measurement}_{part}. Units are the measurement's, or seconds.

    area: value times seconds that it held; covered: those seconds. sin, cos: sums, of an angle. true: of how
    many readings. seconds: in which it was true, or of a text by what it said. cycles: how often its cycle
    began anew.
    """

    COUNT = "count"
    SUSPECT = "suspect"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    LAST = "last"
    GROWN = "grown"
    SIN = "sin"
    COS = "cos"
    TRUE = "true"
    AREA = "area"
    COVERED = "covered"
    SECONDS = "seconds"
    CYCLES = "cycles"


_OF_ALL = (Part.COUNT, Part.SUSPECT, Part.LAST)
_OF_COUNTER = (*_OF_ALL, Part.MIN, Part.MAX, Part.SUM, Part.GROWN)
_OF_CIRCULAR = (*_OF_ALL, Part.SIN, Part.COS)
_OF_NUMBER = (*_OF_ALL, Part.MIN, Part.MAX, Part.SUM, Part.AREA, Part.COVERED)
_OF_BOOLEAN = (*_OF_ALL, Part.TRUE, Part.SECONDS, Part.COVERED)
_OF_TEXT = (*_OF_ALL, Part.SECONDS, Part.COVERED)

_COUNTED = frozenset({Part.COUNT, Part.SUSPECT, Part.TRUE, Part.CYCLES})


def parts_of(measurement: Measurement) -> tuple[Part, ...]:
    """Return what is kept of a measurement."""
    cycles = () if measurement.cycle is None else (Part.CYCLES,)
    return (*_parts_of(measurement), *cycles)


def _parts_of(measurement: Measurement) -> tuple[Part, ...]:
    match measurement.type:
        case ValueType.TEXT:
            return _OF_TEXT
        case ValueType.BOOLEAN:
            return _OF_BOOLEAN
        case ValueType.NUMBER if measurement.counter:
            return _OF_COUNTER
        case ValueType.NUMBER if measurement.turn is not None:
            return _OF_CIRCULAR
        case ValueType.NUMBER:
            return _OF_NUMBER


def column_name(measurement: Measurement, part: Part) -> str:
    """Return the name of a column; a part has no underscore, so that two measurements never meet in one."""
    return f"{measurement.name}_{part}"


def type_of(measurement: Measurement, part: Part) -> ColumnType:
    """Return the type of a column."""
    if part in _COUNTED:
        return ColumnType.INTEGER
    if measurement.type is ValueType.TEXT:
        return {Part.LAST: ColumnType.TEXT, Part.SECONDS: ColumnType.JSON}.get(part, ColumnType.NUMBER)
    if measurement.type is ValueType.BOOLEAN and part is Part.LAST:
        return ColumnType.BOOLEAN
    return ColumnType.NUMBER


def columns_of(kind: Kind) -> tuple[Column, ...]:
    """Return the columns of all measurements of a kind."""
    return tuple(
        Column(name=column_name(m, part), type=type_of(m, part))
        for m in kind.measurements
        for part in parts_of(m)
    )


def shown_of(kind: Kind) -> tuple[Shown, ...]:
    """Return what views show of all measurements of a kind."""
    return tuple(one for m in kind.measurements for one in _shown(m))


def _shown(m: Measurement) -> list[Shown]:
    mean = average(m, "r.")
    computed = {} if mean is None else {"avg": mean}
    if Part.AREA in parts_of(m):
        computed["mean"] = f"r.{m.name}_area / nullif(r.{m.name}_covered, 0)"
    if m.type is ValueType.BOOLEAN:
        computed["min"] = f"(r.{m.name}_true = r.{m.name}_count AND r.{m.name}_count > 0)::integer"
        computed["max"] = f"(r.{m.name}_true > 0)::integer"
    plain = [part for part in parts_of(m) if part not in _HIDDEN]
    return [
        *(
            Shown(name=f"{m.name}_{part}", expression=f"r.{m.name}_{part}", column=f"{m.name}_{part}")
            for part in plain
        ),
        *(
            Shown(name=f"{m.name}_{name}", expression=e, column=f"{m.name}_count")
            for name, e in computed.items()
        ),
    ]


_HIDDEN = frozenset({Part.SUM, Part.SIN, Part.COS, Part.TRUE, Part.AREA})
"""Columns that are a step on the way to a mean."""


def average(m: Measurement, table: str) -> str | None:
    """Return the mean of the good values as SQL over columns of `table` ("r."); None for texts.

    Of a circular measurement it is the mean direction, as in readings.buckets.bucket_columns.
    """
    name = f"{table}{m.name}"
    if m.type is ValueType.TEXT:
        return None
    if m.type is ValueType.BOOLEAN:
        return f"{name}_true::float8 / nullif({name}_count, 0)"
    if m.turn is None:
        return f"{name}_sum / nullif({name}_count, 0)"
    place = f"({m.low!r} + round(atan2d({name}_sin, {name}_cos)::numeric, 9)::float8 * {m.turn / 360!r})"
    inside = f"{place} - {m.turn!r} * floor(({place} - {m.low!r}) / {m.turn!r})"
    return f"CASE WHEN {name}_count > 0 THEN {inside} END"


_AGGREGATES = {Part.MIN: "min", Part.MAX: "max"}


def merged(part: Part, column: str) -> str:
    """Return what a column of several rows h comes to, as SQL; but for the seconds of texts: no number."""
    if part is Part.LAST:
        return f"(array_agg({column} ORDER BY h.at DESC) FILTER (WHERE {column} IS NOT NULL))[1]"
    whole = "::integer" if part in _COUNTED else ""
    return f"{_AGGREGATES.get(part, 'sum')}({column}){whole}"
