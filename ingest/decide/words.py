"""Words of texts that have choices: folded to them by case, and which ones are none of them.

Pure and vectorised. Must not know where readings come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind, Measurement


def fold(kind: Kind, values: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the columns with every word that differs from a choice only by case or space as that choice."""
    folded = {}
    for measurement in kind.measurements:
        if measurement.choices:
            column = _folded(measurement, values[measurement.name])
            if column is not None:
                folded[measurement.name] = column
    return {**values, **folded} if folded else values


def unknown(measurement: Measurement, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which texts, (n,), are there and none of the choices."""
    strange = _strange(measurement, values)
    if not strange:
        return np.zeros(len(values), dtype=np.bool_)
    return np.fromiter((v in strange for v in values), dtype=np.bool_, count=len(values))


def _folded(measurement: Measurement, values: NDArray[Any]) -> NDArray[Any] | None:
    strange = _strange(measurement, values)
    choices = {_plain(choice): choice for choice in measurement.choices}
    meant: Mapping[str, str] = {word: choices[_plain(word)] for word in strange if _plain(word) in choices}
    if not meant:
        return None
    column = np.empty(len(values), dtype=object)
    column[:] = [meant.get(v, v) for v in values]
    return column


def _strange(measurement: Measurement, values: NDArray[Any]) -> set[str]:
    return set(values.tolist()).difference(measurement.choices, [None])


def _plain(word: str) -> str:
    return word.strip().casefold().replace("-", "_").replace(" ", "_")
