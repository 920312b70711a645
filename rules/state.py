"""What the evaluator remembers: flat arrays, one row per device, and changes that wait to be adopted.

A step never alters a state; it returns Changes. Adopting them after the commit makes them the state, and
dropping them leaves no trace. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rules.patch import Patch
from rules.program import Program

NEVER = np.iinfo(np.int64).min
"""An instant before every reading."""


@dataclass(slots=True, kw_only=True)
class Rows:
    """Rows of a state: d devices, l latches, r rules. Instants are microseconds.

    Column after column in memory: a step looks at few columns of many devices.

    watermark: (d,) newest observed_at. on, count, start, due: (d, l) whether the latch is on; the readings
    in its present run; when that run began; after when a reading starts a new run. ended: (d, r) when the
    last alert resolved. value, at: (d, v), (d, a) what histories remember: numbers and instants.
    """

    watermark: NDArray[np.int64]
    on: NDArray[np.bool_]
    count: NDArray[np.int32]
    start: NDArray[np.int64]
    due: NDArray[np.int64]
    ended: NDArray[np.int64]
    value: NDArray[np.float64]
    at: NDArray[np.int64]

    @classmethod
    def blank(cls, devices: int, program: Program) -> Rows:
        """Return rows of devices that never reported."""
        latches, rules = program.latch_count, len(program.rules)
        return cls(
            watermark=np.full(devices, NEVER, dtype=np.int64),
            on=np.zeros((devices, latches), dtype=np.bool_, order="F"),
            count=np.zeros((devices, latches), dtype=np.int32, order="F"),
            start=np.zeros((devices, latches), dtype=np.int64, order="F"),
            due=np.zeros((devices, latches), dtype=np.int64, order="F"),
            ended=np.full((devices, rules), NEVER, dtype=np.int64, order="F"),
            value=np.full((devices, program.value_count), np.nan, order="F"),
            at=np.zeros((devices, program.instant_count), dtype=np.int64, order="F"),
        )

    def take(self, slots: NDArray[np.intp]) -> Rows:
        """Return copies of some rows."""
        return Rows(**{f.name: getattr(self, f.name)[slots] for f in fields(Rows)})

    def put(self, slots: NDArray[np.intp], rows: Rows) -> None:
        """Overwrite some rows."""
        for f in fields(Rows):
            getattr(self, f.name)[slots] = getattr(rows, f.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a step changed in a state."""

    patches: tuple[Patch, ...]

    def apply(self, rows: Rows) -> None:
        """Make the changes in the rows of a state, or in a copy of them all."""
        for patch in self.patches:
            array = getattr(rows, patch.name)
            if patch.columns is None:
                array[patch.slots] = patch.values
            else:
                array[patch.slots, patch.columns] = patch.values


class State:
    """The state of one kind's rules. `devices[:size]` are the ids of its rows."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.size = 0
        self.devices = np.empty(0, dtype=np.int32)
        self._slots = np.empty(0, dtype=np.intp)
        self.rows = Rows.blank(0, program)

    def slots_of(self, device_ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the row of each device; one seen for the first time gets a blank row."""
        if not len(device_ids):
            return np.empty(0, dtype=np.intp)
        self._reach(int(device_ids.max()))
        slots = self._slots[device_ids]
        if (slots >= 0).all():
            return slots
        self._add(np.unique(device_ids[slots < 0]))
        return self._slots[device_ids]

    def _reach(self, device_id: int) -> None:
        if device_id >= len(self._slots):
            longer = np.full(max(device_id + 1, 2 * len(self._slots)), -1, dtype=np.intp)
            longer[: len(self._slots)] = self._slots
            self._slots = longer

    def _add(self, device_ids: NDArray[np.int32]) -> None:
        end = self.size + len(device_ids)
        if end > len(self.devices):
            capacity = max(end, 2 * len(self.devices), 64)
            devices, rows = np.zeros(capacity, dtype=np.int32), Rows.blank(capacity, self.program)
            devices[: self.size] = self.devices[: self.size]
            rows.put(np.arange(self.size), self.rows.take(np.arange(self.size)))
            self.devices, self.rows = devices, rows
        self.devices[self.size : end] = device_ids
        self._slots[device_ids] = np.arange(self.size, end)
        self.size = end

    def adopt(self, changes: Changes) -> None:
        """Make changes part of the state: their batch is committed."""
        changes.apply(self.rows)

    def copy(self) -> State:
        """Return an independent copy in which every device has the same row."""
        copy = State(self.program)
        copy.size = self.size
        copy.devices, copy._slots = self.devices.copy(), self._slots.copy()
        copy.rows = self.rows.take(np.arange(len(self.devices)))
        return copy
