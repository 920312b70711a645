"""Silence by the rule's own definition, from when each device was heard: what the sweep's queries find.

The sweep asks the table of newest readings every few seconds; here every gap between two receptions is
judged at once, at the instants at which the sweep would have looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rules.definition import Silent
from rules.program import Rule

SWEEP_US = 2_000_000
"""How often the sweep looks (nabd.processes)."""


class Listener:
    """Remembers when each device was last heard, and how soon it was expected again."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule.id, rule.definition.silent) for rule in rules if rule.definition.silent]
        self._last: dict[int, tuple[int, int]] = {}

    def hear(
        self, device_id: NDArray[np.int32], received_at: NDArray[np.int64], interval_us: NDArray[np.int64]
    ) -> Iterator[tuple[str, int, int]]:
        """Take rows in arrival order; yield (rule, device, deadline) of every silence that they end."""
        order = np.argsort(device_id, kind="stable")
        devices, received, interval = device_id[order], received_at[order], interval_us[order]
        if not len(devices):
            return
        starts = np.flatnonzero(np.append(True, np.diff(devices) != 0)).tolist()
        for start, end in zip(starts, [*starts[1:], len(devices)], strict=True):
            device = int(devices[start])
            before = self._last.get(device, (int(received[start]), int(interval[start])))
            heard = np.append(before[0], received[start:end])
            expected = np.append(before[1], interval[start : end - 1])
            for rule, silent in self._rules:
                for deadline in _missed(silent, heard[:-1], expected, heard[1:]):
                    yield rule, device, deadline
            self._last[device] = int(received[end - 1]), int(interval[end - 1])

    def close(self, now: int) -> Iterator[tuple[str, int, int]]:
        """Yield the silences that nothing has ended yet."""
        for device, (heard, interval) in self._last.items():
            for rule, silent in self._rules:
                for deadline in _missed(silent, np.array([heard]), np.array([interval]), np.array([now])):
                    yield rule, device, deadline


def _missed(
    silent: Silent, heard: NDArray[np.int64], interval: NDArray[np.int64], again: NDArray[np.int64]
) -> list[int]:
    patience = np.maximum((interval * silent.intervals).astype(np.int64), silent.at_least_us)
    deadline = heard + patience
    noticed = deadline // SWEEP_US * SWEEP_US + SWEEP_US
    found: list[int] = deadline[noticed < again].tolist()
    return found
