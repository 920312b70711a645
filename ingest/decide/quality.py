"""What is suspect of a reading by itself: out of range, an error code, a position of nowhere. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import Measurement, ValueType
from ingest.decide import words

NO_PLACE_DEG = 0.001
"""A position this near to 0, 0 is what receivers say that have none: there is nothing but sea."""
NO_FIX = 2
"""Fixes below this (MAVLink numbering) have no position."""


def quality(columns: Columns) -> NDArray[np.int64]:
    """Return (n,) int64: the bit of each measurement out of range, with an error code, or no place."""
    bits = np.zeros(len(columns), dtype=np.int64)
    for measurement in columns.kind.measurements:
        suspect = suspect_values(measurement, columns)
        if suspect is not None:
            bits |= suspect.astype(np.int64) << measurement.bit
    return bits | _placeless(columns)


def suspect_values(measurement: Measurement, columns: Columns) -> NDArray[np.bool_] | None:
    """Return (n,) bool, the values that cannot be, or None where any can."""
    values = columns.values[measurement.name]
    if measurement.type is ValueType.TEXT:
        return words.unknown(measurement, values) if measurement.choices else None
    suspect = np.zeros(len(values), dtype=np.bool_)
    # Comparisons with NaN are false: an absent value is not suspect.
    if measurement.low is not None:
        suspect |= values < measurement.low
    if measurement.high is not None:
        suspect |= values > measurement.high
    for code in measurement.error_codes:
        if _is_within(measurement, code):
            suspect |= values == code
    return suspect


def _is_within(measurement: Measurement, code: float) -> bool:
    low, high = measurement.low, measurement.high
    return (low is None or code >= low) and (high is None or code <= high)


def _placeless(columns: Columns) -> int | NDArray[np.int64]:
    """Return the bits of a position that is none, (n,) or 0: at 0, 0, or of a fix without satellites."""
    declared = {m.name: m.bit for m in columns.kind.measurements if m.type is not ValueType.TEXT}
    if not {"lat", "lon"} <= declared.keys():
        return 0
    values = columns.values
    none = (np.abs(values["lat"]) < NO_PLACE_DEG) & (np.abs(values["lon"]) < NO_PLACE_DEG)
    if "satellites" in declared:
        none |= values["satellites"] == 0
    if "gnss_fix" in declared:
        none |= values["gnss_fix"] < NO_FIX
    none &= ~(np.isnan(values["lat"]) & np.isnan(values["lon"]))
    return np.where(none, 1 << declared["lat"] | 1 << declared["lon"], 0)
