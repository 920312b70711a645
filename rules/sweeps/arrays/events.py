"""What has happened and is still to be taken in, by instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from rules.sweeps.core.instants import FAR_AWAY

T = TypeVar("T")


class EventQueue(Generic[T]):
    """Events by instant (microseconds); of equal instants in the order they were added."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, T]] = []
        self._taken = 0

    def add(self, events: Iterable[tuple[int, T]]) -> None:
        """Add events; what was taken is forgotten."""
        self._kept = sorted([*self._kept[self._taken :], *events], key=lambda event: event[0])
        self._taken = 0

    @property
    def next_at(self) -> int:
        """When the next event is, FAR_AWAY when there is none."""
        return self._kept[self._taken][0] if self._taken < len(self._kept) else FAR_AWAY

    def up_to(self, at: int) -> Iterator[T]:
        """Yield and forget what happened up to an instant."""
        while self.next_at <= at:
            self._taken += 1
            yield self._kept[self._taken - 1][1]
