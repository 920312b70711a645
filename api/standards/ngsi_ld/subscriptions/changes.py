"""Devices that changed, each once, in the order in which that was noticed: what subscriptions go through.

Of each device only the last change by a reading, in the registry and by an alert is kept, so that it never
holds more than there are devices, however far somebody is behind. Who is told goes through rounds: what
waits when one begins is told in it, in that order, also what changes again meanwhile. Pure; must not know who
is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, takewhile

from alerts.overview.changed import ChangedAlert, ChangedDevice

HEARD, REGISTERED, ALERTED = range(3)
"""What a device changes by: a reading, the registry, an alert."""
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChange:
    """What changed of a device: its readings, what the registry says of it, its alerts."""

    name: str
    heard: bool
    registered: bool
    alerted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedChanges:
    """Changes of which devices: of kinds, in municipalities, by name; None: any."""

    kinds: Collection[str]
    towns: Collection[str] | None = None
    names: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """Changes to tell at once. told_until: nothing that is left after them happened before it."""

    changes: Sequence[DeviceChange]
    told_until: datetime | None


@dataclass(slots=True)
class _Kept:
    """A device: when it last changed by each cause, and at which place in the order that was noticed."""

    name: str
    at: list[datetime | None] = field(default_factory=lambda: [None, None, None])
    places: list[int] = field(default_factory=lambda: [0, 0, 0])

    def after(self, place: int, since: datetime) -> list[tuple[int, datetime]]:
        """Return place and instant of what was noticed after a place and happened after an instant."""
        both = zip(self.places, self.at, strict=True)
        return [(noticed, at) for noticed, at in both if noticed > place and at is not None and at > since]

    def change(self, place: int, since: datetime) -> DeviceChange:
        new = {noticed for noticed, _ in self.after(place, since)}
        heard, registered, alerted = (noticed in new for noticed in self.places)
        return DeviceChange(name=self.name, heard=heard, registered=registered, alerted=alerted)


_Waiting = tuple[int, datetime, _Kept]
"""First place and first instant of what is new of a device."""


class Changes:
    """The changes of all devices since somebody began to look.

    newest: of devices, when the last change happened. settled: the same, when all that may come late was
    asked for the last time.
    """

    def __init__(self) -> None:
        self.newest: datetime | None = None
        self.settled: datetime | None = None
        self.place = 0
        # By kind and municipality; in each the device that changed last is the last.
        self._kept: dict[tuple[str, str], dict[str, _Kept]] = {}

    def note_devices(self, found: Iterable[ChangedDevice], since: datetime, *, settles: bool = True) -> None:
        """Note what happened to devices after an instant, in their order; what is known is no news."""
        for one in found:
            for cause, at in ((HEARD, one.heard_at), (REGISTERED, one.registered_at)):
                if at is not None and at > since:
                    self._note(one, cause, at)
                    self.newest = at if self.newest is None else max(self.newest, at)
        if settles:
            self.settled = self.newest

    def note_alerts(self, found: Sequence[ChangedAlert]) -> None:
        """Note that alerts of devices opened or ended; each must be told once."""
        for one in found:
            self._note(one, ALERTED, one.at)

    def _note(self, one: ChangedDevice | ChangedAlert, cause: int, at: datetime) -> None:
        group = self._kept.setdefault((one.kind, one.municipality), {})
        kept = group.get(one.name) or _Kept(one.name)
        if cause == ALERTED or kept.at[cause] != at:
            self.place += 1
            kept.at[cause], kept.places[cause] = at, self.place
            group.pop(one.name, None)
            group[one.name] = kept

    def begin(self, place: int, since: datetime, wanted: WantedChanges) -> Round:
        """Return what waits for somebody who was told all that was noticed up to a place.

        since: whoever was told nothing yet is told of what happened after it; later what was noticed counts.
        """
        since = since if place == 0 else _EVER
        waiting = sorted(self._waiting(place, since, wanted), key=lambda one: one[0])
        return Round(self, place, since, wanted, waiting)

    def _waiting(self, place: int, since: datetime, wanted: WantedChanges) -> Iterator[_Waiting]:
        for (kind, town), group in self._kept.items():
            if kind not in wanted.kinds or (wanted.towns is not None and town not in wanted.towns):
                continue
            if wanted.names is not None:
                found: Iterable[_Kept] = [group[name] for name in wanted.names if name in group]
            else:
                newest_first = reversed(group.values())
                found = takewhile(lambda kept: max(kept.places) > place, newest_first)
            for kept in found:
                if new := kept.after(place, since):
                    yield min(new)[0], min(at for _, at in new), kept

    def first_after(self, place: int, wanted: WantedChanges) -> datetime | None:
        """Return when the first of what was noticed after a place happened; None: there is nothing."""
        return min((at for _, at, _ in self._waiting(place, _EVER, wanted)), default=None)


class Round:
    """What waited for somebody when it began, told page by page. until: the place at which it leaves off."""

    def __init__(
        self,
        changes: Changes,
        place: int,
        since: datetime,
        wanted: WantedChanges,
        waiting: Sequence[_Waiting],
    ) -> None:
        self.until = changes.place
        self._changes, self._place, self._since, self._wanted = changes, place, since, wanted
        self._waiting = waiting
        # At each place in it, when the first of what is left from there happened.
        firsts = accumulate((at for _, at, _ in reversed(waiting)), min)
        self._firsts = [*firsts][::-1]
        self._told = 0

    @property
    def is_over(self) -> bool:
        """Tell whether nothing of it is left."""
        return self._told >= len(self._waiting)

    def page(self, limit: int) -> ChangePage:
        """Return the first that are left, as they changed since before the round."""
        after = self._told + limit
        some = [kept.change(self._place, self._since) for *_, kept in self._waiting[self._told : after]]
        return ChangePage(changes=some, told_until=self._first_at(after))

    def told(self, page: ChangePage) -> None:
        """Leave a page behind."""
        self._told += len(page.changes)

    def _first_at(self, after: int) -> datetime | None:
        """Return when the first happened of what is left from a place in it, or was noticed meanwhile."""
        later = self._changes.first_after(self.until, self._wanted)
        settled = self._changes.settled or max((at for _, at, _ in self._waiting), default=None)
        known = (*self._firsts[after : after + 1], later, settled)
        return min((at for at in known if at is not None), default=None)
