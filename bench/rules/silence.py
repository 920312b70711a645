"""Silence by the rule's own definition, from when each device was heard: what the sweep's queries find.

The sweep asks the table of newest readings every few seconds; here every gap between two receptions is
judged at once, at the instants at which the sweep would have looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from rules.definition.definition import Silent
from rules.language.program import Rule

SWEEP_US = 2_000_000
"""How often the sweep looks (nabd.processes)."""


class Listener:
    """Remembers when each device was last heard, how soon it was expected again, and what it said."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule.id, rule.definition.silent) for rule in rules if rule.definition.silent]
        self._last: dict[int, _Heard] = {}

    def hear(self, columns: Columns, interval_us: NDArray[np.int64]) -> Iterator[tuple[str, int, int]]:
        """Take rows in arrival order; yield (rule, device, deadline) of every silence that they end."""
        if not len(columns) or not self._rules:
            return
        order = np.argsort(columns.device_id, kind="stable")
        rows = _Heard(
            columns.received_at[order],
            interval_us[order],
            np.stack([_judged(silent, columns, order) for _, silent in self._rules], axis=1),
        )
        devices = columns.device_id[order]
        starts = np.flatnonzero(np.append(True, np.diff(devices) != 0)).tolist()
        for start, end in zip(starts, [*starts[1:], len(devices)], strict=True):
            device, own = int(devices[start]), rows.part(start, end)
            before = self._last.get(device)
            heard = own if before is None else before.followed_by(own)
            yield from self._silences(device, heard.part(0, -1), heard.at[1:])
            self._last[device] = own.part(-1, None)

    def close(self, now: int) -> Iterator[tuple[str, int, int]]:
        """Yield the silences that nothing has ended yet."""
        for device, heard in self._last.items():
            yield from self._silences(device, heard, np.array([now]))

    def _silences(
        self, device: int, heard: _Heard, again: NDArray[np.int64]
    ) -> Iterator[tuple[str, int, int]]:
        for number, (rule, silent) in enumerate(self._rules):
            judged = heard.judged[:, number]
            for deadline in _missed(silent, heard.at[judged], heard.interval[judged], again[judged]):
                yield rule, device, deadline


@dataclass(frozen=True, slots=True)
class _Heard:
    """n readings. at: (n,) when received. interval: (n,). judged: (n, rules) whether silence counts."""

    at: NDArray[np.int64]
    interval: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def part(self, start: int, end: int | None) -> _Heard:
        return _Heard(self.at[start:end], self.interval[start:end], self.judged[start:end])

    def followed_by(self, other: _Heard) -> _Heard:
        return _Heard(
            np.append(self.at, other.at),
            np.append(self.interval, other.interval),
            np.concatenate([self.judged, other.judged]),
        )


def _judged(silent: Silent, columns: Columns, order: NDArray[np.intp]) -> NDArray[np.bool_]:
    if silent.after is None:
        return np.ones(len(order), dtype=bool)
    said = columns.values[silent.after.measurement][order]
    return np.isin(said.astype(str), silent.after.one_of)


def _missed(
    silent: Silent, heard: NDArray[np.int64], interval: NDArray[np.int64], again: NDArray[np.int64]
) -> list[int]:
    patience = np.maximum((interval * silent.intervals).astype(np.int64), silent.at_least_us)
    deadline = heard + patience
    noticed = deadline // SWEEP_US * SWEEP_US + SWEEP_US
    found: list[int] = deadline[noticed < again].tolist()
    return found
