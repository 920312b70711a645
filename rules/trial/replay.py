"""Stored readings through backtests, in the order they were received. Writes nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from devices.columns import Columns
from devices.kinds.kind import Kind
from readings import replay
from readings.replay import ReceiveSpan
from rules.trial.episodes import Episode
from store.connection import Connection

SLICE_US = 3_600_000_000
"""How much of the history sweeps judge before somebody may ask how far it is; microseconds."""

Elapsed = Callable[[], float]
"""Seconds that only ever grow, to measure with; of one core unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a replay is: microseconds of the history done, of how many, and readings evaluated so far."""

    done: int
    of: int
    readings: int
    until: int


class HistoryJudge(Protocol):
    """Rules on trial over the readings of one kind.

    rules: their ids. measurements: those they read. sliced: whether they also judge between readings, which
    takes its time. readings, devices: how many were fed, and of how many devices. evaluation_s: of one core.
    """

    readings: int
    evaluation_s: float

    @property
    def rules(self) -> frozenset[str]: ...
    @property
    def devices(self) -> int: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def measurements(self) -> Collection[str]: ...
    @property
    def sliced(self) -> bool: ...

    def feed(self, columns: Columns, elapsed: Elapsed = ...) -> None:
        """Take readings in the order they were received."""

    def advance(self, until: int, elapsed: Elapsed = ...) -> None:
        """Judge up to an instant (microseconds) before which every reading was fed."""

    def episodes(self, rule: str) -> tuple[Episode, ...]:
        """Return the alerts a rule would have raised, by their beginning."""


async def replay_history(
    connection: Connection,
    judges: Sequence[HistoryJudge],
    *,
    start: int,
    end: int,
    devices: Sequence[int] | None = None,
    elapsed: Elapsed = time.thread_time,
) -> AsyncIterator[Progress]:
    """Feed judges of one kind the readings received in [start, end) (microseconds) and say how far it is.

    Args:
        devices: only the readings of these, by the registry's number.

    Raises:
        rules.engine.evaluate.RuleFailed: a rule raised.
    """
    measurements = frozenset[str]().union(*(judge.measurements for judge in judges))
    kind, readings = judges[0].kind, 0
    for window in await replay.windows(connection, start, end):
        columns = await replay.columns(connection, kind, window, measurements=measurements, devices=devices)
        for part, until in _parts(columns, window, sliced=any(judge.sliced for judge in judges)):
            # Beside the event loop: whoever else it serves goes on meanwhile.
            await asyncio.to_thread(_judge, judges, part, until, elapsed)
            readings += len(part)
            yield Progress(done=until - start, of=end - start, readings=readings, until=until)


def _judge(judges: Sequence[HistoryJudge], columns: Columns, until: int, elapsed: Elapsed) -> None:
    for judge in judges:
        judge.feed(columns, elapsed)
        judge.advance(until, elapsed)


def _parts(columns: Columns, window: ReceiveSpan, *, sliced: bool) -> Iterator[tuple[Columns, int]]:
    """Yield the readings of a window with its end, or of each slice of it with theirs."""
    ends = [*range(window.start + SLICE_US, window.end, SLICE_US), window.end] if sliced else [window.end]
    first = 0
    for end in ends:
        last = int(np.searchsorted(columns.received_at, end))
        # A slice costs no copy.
        yield columns.take(slice(first, last)), end  # type: ignore[arg-type]
        first = last
