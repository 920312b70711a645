"""What a part makes of a reading that is stored: fills what is absent there, repeats it, or contradicts it.

Pure and vectorised. Must not know the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns, Filled
from devices.kinds.kind import FIRST_MEASUREMENT_BIT
from devices.wire.gateway import ENTRY
from ingest.decide.accept import Attributes, judge_alone

Bools = NDArray[np.bool_]

_OF_PLATFORM = (1 << FIRST_MEASUREMENT_BIT) - 1
"""Quality bits that mark no measurement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What n parts make of what is stored under their keys.

    whole: n readings as they become. news, contradicts: (n,) bool, the parts that say something that was
    absent, and those that say something else than what is stored; who does neither repeats it.
    """

    whole: Columns
    news: Bools
    contradicts: Bools


def complete(
    part: Columns, reported: Mapping[str, NDArray[Any]], stored: Columns, attributes: Attributes
) -> Completed:
    """Return what parts make of stored readings.

    What was derived gives way to what is reported, and is derived again. Of unknown keys, and of what tells
    how a message came, the first one stays: only measurements contradict each other, and entries of people,
    as a reading names one author.

    Args:
        part: n rows of one kind, judged.
        reported: (n,) each, measurements that may be derived, as they were sent.
        stored: (n,) what is stored of the same device and instant.
        attributes: what derived values need.
    """
    known = _as_reported(stored, attributes)
    said = replace(part, values={**part.values, **reported})
    n = len(part)
    news, contradicts = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    kept, added = stored.quality.copy(), np.full(n, _OF_PLATFORM)
    values = {}
    for m in part.kind.measurements:
        here, new = known.values[m.name], said.values[m.name]
        absent, says = known.absent(m.name), ~said.absent(m.name)
        fills = absent & says
        if not m.of_link:
            contradicts |= ~absent & says & (here != new)
        news |= fills
        values[m.name] = np.where(fills, new, here)
        kept &= ~(absent.astype(np.int64) << m.bit)
        added |= fills.astype(np.int64) << m.bit
    extra = stored.extra.copy()
    for row in range(n):
        there, told = stored.unknown(row), part.unknown(row)
        contradicts[row] |= _another_entry(there, told)
        if (more := _more(there, told)) is not None:
            extra[row], news[row] = msgspec.json.encode(more), True
    whole = replace(part, values=values, extra=extra, quality=kept | part.quality & added)
    judge_alone(whole, attributes)
    whole.filled = Filled(row=np.ones(n, dtype=np.bool_), values=stored.values)
    return Completed(whole=whole, news=news & ~contradicts, contradicts=contradicts)


def _as_reported(stored: Columns, attributes: Attributes) -> Columns:
    """Return readings without the values that follow from their other ones: those were derived."""
    derivable = {d.measurement: np.full(len(stored), np.nan) for d in stored.kind.derived}
    if not derivable:
        return stored
    again = replace(stored, values={**stored.values, **derivable})
    judge_alone(again, attributes)
    values = {
        name: np.where(again.values[name] == stored.values[name], np.nan, stored.values[name])
        for name in derivable
    }
    return replace(stored, values={**stored.values, **values})


def _another_entry(stored: dict[str, Any] | None, said: dict[str, Any] | None) -> bool:
    """Tell whether two people, or one at two times, entered what is there and what comes."""
    there, comes = ((known or {}).get(ENTRY) for known in (stored, said))
    return there is not None and comes is not None and there != comes


def _more(stored: dict[str, Any] | None, said: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return unknown keys with those that were not there yet, None where there are none such."""
    if said is None or (stored is not None and said.keys() <= stored.keys()):
        return None
    return {**said, **(stored or {})}
