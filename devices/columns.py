"""Readings of one kind as columns: decoding yields them, acceptance completes them, COPY and rules use them.

Pure data. Must not know how readings arrive or where they are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind, ValueType

MISSING = -1
"""`boot` or `seq` of a reading that carries none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Which of n rows complete readings that were stored before, and what was stored of those.

    row: (n,) bool. values: per measurement (n,), as in Columns; absent in all other rows.
    """

    row: NDArray[np.bool_]
    values: dict[str, NDArray[Any]]

    def take(self, rows: NDArray[Any]) -> Filled:
        """Return the rows selected by a boolean mask or an index array, in that order."""
        return Filled(row=self.row[rows], values={name: v[rows] for name, v in self.values.items()})


@dataclass(slots=True, kw_only=True)
class Columns:
    """Readings of one kind, n rows in arrival order (message order; by observed_at within a message).

    device_id: (n,) int32, the registry's id.
    observed_at, received_at: (n,) int64, microseconds since 1970-01-01Z. received_at differs for every
        message and never decreases, so (received_at, observed_at) is the arrival order of a device.
    quality: (n,) int64 bit field, 0 is good; see devices.kinds.kind.
    boot, seq: (n,) int64, the device's own, MISSING (-1) when absent.
    values: per measurement (n,): float64 with NaN when absent (booleans 0.0 and 1.0), or object arrays
        of str and None for text.
    extra: (n,) object, JSON object bytes of unknown keys, or None.
    message: (n,) int32, index of the message in its batch.
    filled: which rows are whole readings of which a part was stored before; None where none is.
    relay: (n, 2) int64, boot and seq that a gateway wrote: for its receipts, they say nothing of the device.
        MISSING, or None for all rows, where there are none.
    """

    kind: Kind
    device_id: NDArray[np.int32]
    observed_at: NDArray[np.int64]
    received_at: NDArray[np.int64]
    quality: NDArray[np.int64]
    boot: NDArray[np.int64]
    seq: NDArray[np.int64]
    values: dict[str, NDArray[Any]]
    extra: NDArray[np.object_]
    message: NDArray[np.int32]
    filled: Filled | None = None
    relay: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.observed_at)

    def take(self, rows: NDArray[Any]) -> Columns:
        """Return the rows selected by a boolean mask or an index array, in that order."""
        return Columns(
            kind=self.kind,
            device_id=self.device_id[rows],
            observed_at=self.observed_at[rows],
            received_at=self.received_at[rows],
            quality=self.quality[rows],
            boot=self.boot[rows],
            seq=self.seq[rows],
            values={name: column[rows] for name, column in self.values.items()},
            extra=self.extra[rows],
            message=self.message[rows],
            filled=None if self.filled is None else self.filled.take(rows),
            relay=None if self.relay is None else self.relay[rows],
        )

    def before(self) -> Columns:
        """Return the same rows as they were before parts filled some; the others are empty."""
        assert self.filled is not None
        return replace(self, values=self.filled.values, filled=None)

    def news(self) -> Columns:
        """Return the same rows with what was stored of them before left out."""
        assert self.filled is not None
        known = self.before()
        news = empty_values(self.kind, len(self))
        for name, column in self.values.items():
            absent = known.absent(name)
            news[name][absent] = column[absent]
        return replace(self, values=news, filled=None)

    def unknown(self, row: int) -> Any:
        """Return a row's unknown keys with their values, None where it has none."""
        extra = self.extra[row]
        return None if extra is None else msgspec.json.decode(extra)

    def numbered(self) -> NDArray[np.bool_]:
        """Tell which rows carry both `boot` and `seq`, shape (n,)."""
        numbered: NDArray[np.bool_] = (self.boot != MISSING) & (self.seq != MISSING)
        return numbered

    def receipted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return boot and seq, (n,) each, as whoever published the rows wrote them; MISSING when absent."""
        if self.relay is None:
            return self.boot, self.seq
        boot, seq = self.relay.T
        return np.where(boot == MISSING, self.boot, boot), np.where(seq == MISSING, self.seq, seq)

    def empty(self) -> NDArray[np.bool_]:
        """Tell which rows hold no measurement at all, shape (n,)."""
        empty = np.ones(len(self), dtype=np.bool_)
        for measurement in self.kind.measurements:
            empty &= self.absent(measurement.name)
            if not empty.any():
                break
        return empty

    def absent(self, name: str) -> NDArray[np.bool_]:
        """Tell which rows have no value of a measurement, shape (n,)."""
        values = self.values[name]
        if self.kind.measurement(name).type is ValueType.TEXT:
            return np.fromiter((v is None for v in values), dtype=np.bool_, count=len(values))
        absent: NDArray[np.bool_] = np.isnan(values)
        return absent

    def good(self, name: str) -> NDArray[np.float64]:
        """Return a numeric measurement with NaN where absent or marked suspect, shape (n,)."""
        measurement = self.kind.measurement(name)
        marked = (self.quality >> measurement.bit) & 1 == 1
        return np.where(marked, np.nan, self.values[name])


def empty_values(kind: Kind, n: int, names: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return n rows in which every measurement of the kind, or some of them, is absent."""
    return {
        m.name: np.full(n, None, dtype=object) if m.type is ValueType.TEXT else np.full(n, np.nan)
        for m in kind.measurements
        if names is None or m.name in names
    }


def joined(parts: Sequence[Columns]) -> Columns:
    """Return rows of several columns of one kind, one after the other; what is filled is kept."""
    first, *others = parts
    if not others:
        return first
    filled = None
    if any(part.filled is not None for part in parts):
        known = [part.filled or _nothing_filled(part) for part in parts]
        filled = Filled(
            row=np.concatenate([one.row for one in known]),
            values=_concatenated([one.values for one in known]),
        )
    return Columns(
        kind=first.kind,
        values=_concatenated([part.values for part in parts]),
        filled=filled,
        relay=None
        if all(part.relay is None for part in parts)
        else np.concatenate(
            [np.full((len(p), 2), MISSING, dtype=np.int64) if p.relay is None else p.relay for p in parts]
        ),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _PLAIN},
    )


_PLAIN = ("device_id", "observed_at", "received_at", "quality", "boot", "seq", "extra", "message")


def _nothing_filled(columns: Columns) -> Filled:
    n = len(columns)
    return Filled(row=np.zeros(n, dtype=np.bool_), values=empty_values(columns.kind, n))


def _concatenated(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def newest_values(kind: Kind, measured: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """Return what devices measured last, given by name, as columns."""
    values = empty_values(kind, len(measured))
    for row, one in enumerate(measured):
        for name, value in one.items():
            if name in values and value is not None:
                values[name][row] = value
    return values
