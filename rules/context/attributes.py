"""What is known about devices without measuring it, as arrays that rules can index.

Pure: built from plain mappings. Must not know the database.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import INTERVAL
from rules.context.geometry import Polygons
from rules.context.local_time import PlaceColumns
from rules.context.truth import missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One device: attributes, position, calendar.

    lat, lon: its municipality's position if its own is unknown; placed: whether they are its own.
    zone, weekend: its municipality's clock and ISO days. maintenance: spans (from, until) in microseconds.
    installed_at: microseconds; a planned device never is. replaced: how many stood there before.
    """

    attributes: Mapping[str, Any]
    lat: float | None = None
    lon: float | None = None
    placed: bool = True
    zone: str = "UTC"
    weekend: tuple[int, ...] = (6, 7)
    maintenance: tuple[tuple[int, int], ...] = ()
    installed_at: int = 0
    replaced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindows:
    """Maintenance windows of n devices: w spans with their owner's row. start, end: microseconds."""

    owner: NDArray[np.intp]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    @classmethod
    def of(cls, spans: Sequence[tuple[tuple[int, int], ...]]) -> MaintenanceWindows | None:
        """Build from each device's spans; None when there are none."""
        found = [(row, *span) for row, own in enumerate(spans) for span in own]
        if not found:
            return None
        owner, start, end = np.array(found, dtype=np.int64).T
        return cls(owner=owner, start=start, end=end)

    def hold(self, rows: NDArray[np.intp], instants: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which instants lie in a window of their row's device; the end is not included."""
        first = np.searchsorted(self.owner, rows, side="left")
        many = np.searchsorted(self.owner, rows, side="right") - first
        inside = np.zeros(len(rows), dtype=np.bool_)
        for turn in range(int(many.max(initial=0))):
            window = np.minimum(first + turn, len(self.owner) - 1)
            inside |= (turn < many) & (self.start[window] <= instants) & (instants < self.end[window])
        return inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """Attributes of n devices; in row n everything is unknown, for devices that are not known.

    numbers: (n + 1,) float64, NaN where absent (booleans 0.0 and 1.0). texts: object, None where absent.
    lat, lon: degrees, NaN where unknown. zone: index into `zones`. weekend: bits of days, 0 is Monday.
    installed_at: microseconds. replaced: how many stood there before. filled: what `texts_or` made.
    """

    rows: NDArray[np.intp]
    numbers: Mapping[str, NDArray[np.float64]]
    texts: Mapping[str, NDArray[np.object_]]
    polygons: Mapping[str, Polygons]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    placed: NDArray[np.bool_]
    zone: NDArray[np.intp]
    zones: tuple[str, ...]
    weekend: NDArray[np.int64]
    windows: MaintenanceWindows | None
    installed_at: NDArray[np.int64]
    replaced: NDArray[np.int64]
    filled: dict[tuple[str, str], NDArray[np.object_]] = field(default_factory=dict)

    def texts_or(self, name: str, default: str) -> NDArray[np.object_]:
        """Return a text attribute of every device, a default where it is absent; made once."""
        found = self.filled.get((name, default))
        if found is None:
            found = self.texts[name].copy()
            found[missing(found)] = default
            self.filled[name, default] = found
        return found

    def __len__(self) -> int:
        """Return how many devices are known."""
        return len(self.lat) - 1

    def rows_of(self, device_ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the row of each device, n where it is unknown."""
        nobody = len(self)
        known = (device_ids >= 0) & (device_ids < len(self.rows))
        return np.where(known, self.rows[np.where(known, device_ids, 0)], nobody)


def build(
    devices: Mapping[int, Facts],
    *,
    numbers: Iterable[str] = (),
    texts: Iterable[str] = (),
    polygons: Iterable[str] = (),
) -> Attributes:
    """Return the named attributes of devices; a value of another type counts as absent."""
    facts = [*devices.values(), Facts(attributes={})]
    rows = np.full(max(devices, default=0) + 1, len(devices), dtype=np.intp)
    rows[np.fromiter(devices, dtype=np.intp, count=len(devices))] = np.arange(len(devices))
    places = PlaceColumns.of(
        [f.zone for f in facts], [f.weekend for f in facts], [f.lat for f in facts], [f.lon for f in facts]
    )
    return Attributes(
        rows=rows,
        numbers={n: as_numbers(f.attributes.get(n) for f in facts) for n in {*numbers, INTERVAL}},
        texts={n: as_texts(f.attributes.get(n) for f in facts) for n in set(texts)},
        polygons={n: Polygons([f.attributes.get(n) for f in facts]) for n in set(polygons)},
        lat=places.lat,
        lon=places.lon,
        placed=np.array([f.placed for f in facts]),
        zone=places.zone,
        zones=places.zones,
        weekend=places.weekend,
        windows=MaintenanceWindows.of([f.maintenance for f in facts]),
        installed_at=np.array([f.installed_at for f in facts], dtype=np.int64),
        replaced=np.array([f.replaced for f in facts], dtype=np.int64),
    )


def as_numbers(values: Iterable[object]) -> NDArray[np.float64]:
    """Return values of attributes as numbers, NaN where one is missing or something else."""
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e300 else math.nan


def as_texts(values: Iterable[object]) -> NDArray[np.object_]:
    """Return values of attributes as texts, None where one is missing or something else."""
    found = [v if isinstance(v, str) else None for v in values]
    column = np.empty(len(found), dtype=object)
    column[:] = found
    return column
