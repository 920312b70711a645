"""What `nabd validate` says of a reading that is accepted, and may still not mean what its sender thinks.

Pure. Must not know files or how a payload was decided about.
"""

from __future__ import annotations

import math

from devices.columns import Columns
from devices.kinds.kind import Measurement, ValueType
from devices.naming import hint
from devices.suggestion import meant

SMALLER = {"h": "seconds?", "kW.h": "Wh?", "m3": "litres?"}
"""What else a counter may be counted in, by its unit."""


def remarks(columns: Columns, row: int) -> list[str]:
    """Return what may be meant otherwise: names, words, units of counters, what values are counted from."""
    said = [_names(columns, row)]
    for measurement in columns.kind.measurements:
        value = columns.values[measurement.name][row]
        marked = int(columns.quality[row]) >> measurement.bit & 1
        if measurement.choices and marked:
            word = str(value)
            known = meant(word.casefold(), measurement.choices)
            said.append(f"{measurement.name}: {word!r} is none of its words; {known}")
        elif measurement.counter and marked:
            unit = SMALLER.get(measurement.unit, f"is it in {measurement.unit}?")
            said.append(f"{measurement.name} {value:g} is more, or faster, than can be: {unit}")
        elif measurement.reference and _is_measured(measurement, value):
            said.append(f"{measurement.name} {value:g}: is it {measurement.reference.get('en', '')}?")
    return said


def _is_measured(measurement: Measurement, value: float) -> bool:
    return measurement.type is ValueType.NUMBER and not math.isnan(value)


def measured(columns: Columns, row: int) -> list[str]:
    """Return the names that became measurements, derived ones included."""
    return [m.name for m in columns.kind.measurements if not columns.absent(m.name)[row]]


def hints(columns: Columns, row: int) -> dict[str, str | None]:
    """Return the names that are kept as they are, each with what it probably means."""
    known = measured(columns, row)
    return {name: hint(columns.kind, name, known) for name in columns.unknown(row) or {}}


def _names(columns: Columns, row: int) -> str:
    names = measured(columns, row)
    said = f"measured: {', '.join(names)}" if names else "no measurement in it: no rule can judge it"
    kept = [
        f"{name} (did you mean {meant_by})" if meant_by else name
        for name, meant_by in hints(columns, row).items()
    ]
    return f"{said}; only kept: {', '.join(kept)}" if kept else said
