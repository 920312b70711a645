"""What should have been told against what arrived: told, lost, doubled. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.notify.receiver import ReceivedMessage

Told = tuple[str, str, int]
"""Receiver's path, occasion, alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingCount:
    """sent: what should be told, a receiver, occasion and alert each; doubled: how often too many."""

    sent: int
    told: int
    doubled: int
    lost: int
    unexpected: int

    def plus(self, other: TellingCount) -> TellingCount:
        """Return the sums."""
        return TellingCount(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


def count(expected: Iterable[Told], received: Iterable[ReceivedMessage]) -> TellingCount:
    """Compare what should have been told with what arrived."""
    wanted = set(expected)
    came = Counter(told for message in received for told in tellings(message))
    return TellingCount(
        sent=len(wanted),
        told=len(wanted & came.keys()),
        doubled=sum(n - 1 for n in came.values()),
        lost=len(wanted - came.keys()),
        unexpected=len(came.keys() - wanted),
    )


def tellings(message: ReceivedMessage) -> list[Told]:
    """Return what a message tells."""
    return [(message.path, message.occasion, alert) for alert in message.alerts]


def first_arrivals(received: Iterable[ReceivedMessage]) -> Mapping[Told, float]:
    """Return when each was told first, seconds of time.time()."""
    first: dict[Told, float] = {}
    for message in received:
        for told in tellings(message):
            first[told] = min(message.at, first.get(told, message.at))
    return first
