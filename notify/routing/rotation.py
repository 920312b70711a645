"""Who is on call at an instant: people in turns, layer over layer, and who stands in for them.

Pure. Turns change at a local time of the day, across changes of the clock too. Must not know routes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from notify.routing.local_clock import ONE_DAY, LocalCalendar, LocalHours, instant_of, local


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallLayer:
    """People in turns.

    people: ids, in their order. start: the day on which the first turn begins, at `handover_min` after local
    midnight. turn_days: how long a turn is. hours: when the layer counts; None: always.
    """

    people: tuple[int, ...]
    start: date
    turn_days: int
    handover_min: int
    hours: LocalHours | None = None

    def turn_at(self, at: int, calendar: LocalCalendar) -> int | None:
        """Return the number of the turn at an instant from 0 on; None where the layer does not count."""
        if self.hours is not None and self.hours.span(calendar.weekend).around(at, calendar.zone) is None:
            return None
        days = (local(at, calendar.zone).date() - self.start).days
        turn = days // self.turn_days
        if at < self._begin(turn, calendar):
            turn -= 1
        return turn if turn >= 0 else None

    def _begin(self, turn: int, calendar: LocalCalendar) -> int:
        return instant_of(
            self.start + timedelta(days=turn * self.turn_days), self.handover_min, calendar.zone
        )

    def who(self, at: int, calendar: LocalCalendar, present: Collection[int]) -> int | None:
        """Return who is on call; the next in turn stands in for who is not there."""
        turn = self.turn_at(at, calendar)
        if turn is None:
            return None
        count = len(self.people)
        order = (self.people[(turn + i) % count] for i in range(count))
        return next((person for person in order if person in present), None)

    def changes_on(self, day: date, calendar: LocalCalendar) -> Iterator[int]:
        """Yield the instants around a day at which the answer may change."""
        yield instant_of(day, self.handover_min, calendar.zone)
        if self.hours is not None:
            yield from self.hours.span(calendar.weekend).on(day, calendar.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallOverride:
    """Somebody who stands in for the rotations; from_at, until_at: microseconds, the end not included."""

    id: int
    person: int
    from_at: int
    until_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallShift:
    """A span in which one person is on call; None: nobody. override: they stand in."""

    person: int | None
    from_at: int
    until_at: int
    override: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallRota:
    """Layers and overrides on the clock of a place.

    The newest override at an instant counts, then the first layer that has somebody.
    """

    calendar: LocalCalendar
    layers: tuple[OnCallLayer, ...]
    overrides: tuple[OnCallOverride, ...] = ()

    def who(self, at: int, present: Collection[int]) -> int | None:
        """Return who is on call at an instant, None where nobody is.

        Args:
            at: microseconds since 1970-01-01Z.
            present: ids of people who can be: not disabled or deleted, and with a role there.
        """
        return self._at(at, present)[0]

    def _at(self, at: int, present: Collection[int]) -> tuple[int | None, bool]:
        covering = [o for o in self.overrides if o.from_at <= at < o.until_at and o.person in present]
        if covering:
            return max(covering, key=lambda o: o.id).person, True
        found = (layer.who(at, self.calendar, present) for layer in self.layers)
        return next((person for person in found if person is not None), None), False

    def shifts(self, start: int, end: int, present: Collection[int]) -> list[OnCallShift]:
        """Return who is on call from one instant to another, in their order and without gaps."""
        found: list[OnCallShift] = []
        for begin, until in pairwise(self._changes(start, end)):
            person, override = self._at(begin, present)
            last = found[-1] if found else None
            if last is not None and (last.person, last.override) == (person, override):
                found[-1] = replace(last, until_at=until)
            else:
                found.append(OnCallShift(person=person, from_at=begin, until_at=until, override=override))
        return found

    def _changes(self, start: int, end: int) -> list[int]:
        """Return the instants at which the answer may change, start and end included."""
        found = {start, end}
        for override in self.overrides:
            found |= {override.from_at, override.until_at}
        day = local(start, self.calendar.zone).date() - ONE_DAY
        last = local(end, self.calendar.zone).date()
        while day <= last:
            for layer in self.layers:
                found.update(layer.changes_on(day, self.calendar))
            day += ONE_DAY
        return sorted(at for at in found if start <= at <= end)
