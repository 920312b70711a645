"""Transitions read as episodes: one alert from its beginning to its end, counted and compared.

Pure. For trials and measurements of rules; must not know where transitions come from.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime

FLAP_WITHIN_US = 3_600_000_000
"""An alert that opens again within an hour of its end has flapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One alert: instants in microseconds of the device's clock. ended_at None: it was still firing.

    severity: the worst it reached.
    """

    device_id: int
    opened_at: int
    severity: Severity
    ended_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeComparison:
    """Episodes of two versions of a rule: on the same device at overlapping times, or of one alone."""

    both: int
    only_first: tuple[Episode, ...]
    only_second: tuple[Episode, ...]


class Episodes:
    """Collects the episodes of one rule from its transitions, given in the order they happened."""

    def __init__(self) -> None:
        self._open: dict[int, Episode] = {}
        self._ended: list[Episode] = []

    def add(self, transition: Transition) -> None:
        """Add one transition."""
        device, at = transition.device_id, transition.observed_at
        before = self._open.pop(device, None)
        if transition.to_state is ConditionState.RESOLVED:
            if before is not None:
                self._ended.append(replace(before, ended_at=at))
            return
        worst = transition.severity
        if before is None:
            before = Episode(device_id=device, opened_at=at, severity=worst)
        if before.severity.rank > worst.rank:
            worst = before.severity
        self._open[device] = replace(before, severity=worst)

    def all(self) -> tuple[Episode, ...]:
        """Return every episode by its beginning, open ones included."""
        return tuple(sorted([*self._ended, *self._open.values()], key=lambda e: (e.opened_at, e.device_id)))


def per_day(episodes: Iterable[Episode], first: date, last: date) -> Mapping[date, int]:
    """Return how many episodes began on each day (UTC) from the first to the last, both included."""
    counts = Counter(to_datetime(e.opened_at).date() for e in episodes)
    days = range(first.toordinal(), last.toordinal() + 1)
    return {day: counts[day] for day in map(date.fromordinal, days)}


def flaps(episodes: Iterable[Episode]) -> int:
    """Return how many episodes began within an hour of the end of the one before, on the same device."""
    found = 0
    ends: dict[int, int] = {}
    for episode in sorted(episodes, key=lambda e: e.opened_at):
        before = ends.get(episode.device_id)
        found += before is not None and episode.opened_at - before < FLAP_WITHIN_US
        if episode.ended_at is not None:
            ends[episode.device_id] = episode.ended_at
    return found


def compare(first: Sequence[Episode], second: Sequence[Episode]) -> EpisodeComparison:
    """Return which episodes of two versions of a rule are of one device at overlapping times."""
    by_device: dict[int, list[Episode]] = defaultdict(list)
    for episode in second:
        by_device[episode.device_id].append(episode)
    met: set[int] = set()
    only_first = []
    for episode in first:
        same = [other for other in by_device[episode.device_id] if _overlap(episode, other)]
        met |= {id(other) for other in same}
        if not same:
            only_first.append(episode)
    return EpisodeComparison(
        both=len(first) - len(only_first),
        only_first=tuple(only_first),
        only_second=tuple(e for e in second if id(e) not in met),
    )


def _overlap(a: Episode, b: Episode) -> bool:
    return (a.ended_at is None or b.opened_at <= a.ended_at) and (
        b.ended_at is None or a.opened_at <= b.ended_at
    )
