"""Which hours change when readings come in, and how far around them readings must be known. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from readings.rollups.holding import HOUR_US, Ints
from readings.rollups.hours import Spans
from readings.rollups.marks import Touched


def spans_of(touched: Touched, reach_us: Ints) -> Spans:
    """Return the hours that new readings change, in order of device.

    Args:
        reach_us: (n,) for how long at most something holds that the device says. Hours that would be computed
            from the same readings are one span.
    """
    order = np.lexsort((touched.first, touched.device_id))
    device_id, reach = touched.device_id[order], reach_us[order]
    since = (touched.first[order] - reach) // HOUR_US
    until = (touched.last[order] + reach) // HOUR_US + 1
    around = reach // HOUR_US + 1
    # Spans reach as far as the latest one before, of the same device.
    begins = np.ones(len(since), dtype=np.bool_)
    furthest = until.copy()
    for place in range(1, len(since)):
        if device_id[place] != device_id[place - 1]:
            continue
        furthest[place] = max(furthest[place], furthest[place - 1])
        begins[place] = since[place] - 2 * around[place] > furthest[place - 1]
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(since)) - 1
    return Spans(device_id=device_id[first], since=since[first], until=furthest[last])


def groups(spans: Spans, rows: Ints, most: int) -> Iterator[np.ndarray]:
    """Yield which spans are worked on together, so that at most about `most` readings are in memory."""
    group = np.cumsum(rows) // most
    for number in np.unique(group):
        yield np.flatnonzero(group == number)
