"""Readings as conditions see them: sorted by device, each device's in the order they arrived.

Pure. Columns are gathered on first use and kept for the step, so rules share them. Must not know rules.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime
from devices.kinds.kind import Kind, Reporting
from rules import sun
from rules.attributes import INTERVAL, Attributes

Floats = NDArray[np.float64]
Array = TypeVar("Array", bound=NDArray[Any])

_QUARTER_US = 900_000_000


class Context:
    """n rows of one kind.

    order: (n,) row of `columns` for each row here. observed_at: (n,) microseconds. late: (n,) bool, at or
    before what the device had observed when the row arrived. previous(i) of a history: see rules.histories.
    """

    def __init__(self, columns: Columns, order: NDArray[np.intp], attributes: Attributes) -> None:
        self.columns = columns
        self.order = order
        self.attributes = attributes
        self.observed_at: NDArray[np.int64] = columns.observed_at[order]
        self.received_at: NDArray[np.int64] = columns.received_at[order]
        self.device_id: NDArray[np.int32] = columns.device_id[order]
        self.facts = attributes.rows_of(self.device_id)
        self.previous: Callable[[int], tuple[Floats, Floats]] = _no_history
        self._kept: dict[Hashable, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.order)

    def keep(self, key: Hashable, compute: Callable[[], Array]) -> Array:
        """Return the array kept under `key`, computing it the first time."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = compute()
        return found  # type: ignore[return-value]  # a key always names the same kind of array

    def number(self, name: str, use_suspect: bool = False) -> Floats:
        """Return a numeric or boolean measurement, NaN where it is missing or, unless wanted, marked."""
        return self.keep((name, use_suspect), lambda: self._number(name, use_suspect))

    def _number(self, name: str, use_suspect: bool) -> Floats:
        if not use_suspect:
            return self.columns.good(name)[self.order]
        values: Floats = self.columns.values[name][self.order].astype(np.float64)
        # An error code says that nothing was measured; it is not even a suspect value.
        for code in self.columns.kind.measurement(name).error_codes:
            values[values == code] = np.nan
        return values

    def text(self, name: str, use_suspect: bool = False) -> NDArray[np.object_]:
        """Return a text measurement, None where it is missing or, unless wanted, marked."""
        return self.keep((name, use_suspect), lambda: self._text(name, use_suspect))

    def _text(self, name: str, use_suspect: bool) -> NDArray[np.object_]:
        values: NDArray[np.object_] = self.columns.values[name][self.order]
        marked = (self.columns.quality[self.order] >> self.columns.kind.measurement(name).bit) & 1 == 1
        if use_suspect or not marked.any():
            return values
        values[marked] = None
        return values

    def attribute(self, name: str) -> Floats:
        """Return a numeric or boolean attribute of each row's device, NaN where absent."""
        return self.keep(("attr", name), lambda: self.attributes.numbers[name][self.facts])

    def text_attribute(self, name: str) -> NDArray[np.object_]:
        """Return a text attribute of each row's device, None where absent."""
        return self.keep(("attr", name), lambda: self.attributes.texts[name][self.facts])

    def sun_deg(self) -> Floats:
        """Return the sun's elevation where the device stands."""
        lat, lon = self.attributes.lat[self.facts], self.attributes.lon[self.facts]
        return self.keep("sun", lambda: sun.elevation_deg(self.observed_at, lat, lon))

    def local_min(self) -> NDArray[np.int64]:
        """Return minutes after midnight on the clock of the device's municipality."""
        return self.keep("local_min", self._local_min)

    def _local_min(self) -> NDArray[np.int64]:
        # Offsets change on quarter hours only, so a few look-ups serve a whole batch.
        quarter = self.observed_at // _QUARTER_US
        keys = np.stack([self.attributes.zone[self.facts], quarter], axis=1)
        unique, inverse = np.unique(keys, axis=0, return_inverse=True)
        offsets = [_offset_min(self.attributes.zones[zone], int(q) * _QUARTER_US) for zone, q in unique]
        minutes = self.observed_at // 60_000_000 + np.array(offsets, dtype=np.int64)[inverse.ravel()]
        return minutes % 1440

    def interval_us(self) -> NDArray[np.int64]:
        """Return how soon after each row the next is expected: the device's own interval, or its kind's."""
        return self.keep("interval", self._interval_us)

    def _interval_us(self) -> NDArray[np.int64]:
        kind = self.columns.kind
        seconds = np.full(len(self), kind.reporting[-1].every_s)
        for reporting in reversed(kind.reporting[:-1]):
            seconds[self._applies(kind, reporting)] = reporting.every_s
        own = self.attribute(INTERVAL)
        return (np.where(own > 0, own, seconds) * 1e6).astype(np.int64)

    def _applies(self, kind: Kind, reporting: Reporting) -> NDArray[np.bool_]:
        assert reporting.measurement is not None
        if reporting.at_least is not None:
            return self.columns.values[reporting.measurement][self.order] >= reporting.at_least
        values = self.text(reporting.measurement, use_suspect=True)
        return np.isin(values.astype(str), reporting.one_of)


@lru_cache(maxsize=4096)
def _offset_min(zone: str, instant: int) -> int:
    moment: datetime = to_datetime(instant).astimezone(UTC)
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def _no_history(index: int) -> tuple[Floats, Floats]:
    raise LookupError(f"no history {index} outside a step")
