"""What `nabd validate` says of a reading that is accepted, and may still not mean what its sender thinks.

Pure. Must not know files or how a payload was decided about.
"""

from __future__ import annotations

import math

from devices.columns import Columns
from devices.kinds.kind import Measurement, ValueType
from devices.suggestion import meant


def remarks(columns: Columns, row: int) -> list[str]:
    """Return words that are none of the choices with those that are, and what values are counted from."""
    said = []
    for measurement in columns.kind.measurements:
        value = columns.values[measurement.name][row]
        marked = int(columns.quality[row]) >> measurement.bit & 1
        if measurement.choices and marked:
            word = str(value)
            known = meant(word.casefold(), measurement.choices)
            said.append(f"{measurement.name}: {word!r} is none of its words; {known}")
        elif measurement.reference and _is_measured(measurement, value):
            said.append(f"{measurement.name} {value:g}: is it {measurement.reference.get('en', '')}?")
    return said


def _is_measured(measurement: Measurement, value: float) -> bool:
    return measurement.type is ValueType.NUMBER and not math.isnan(value)
