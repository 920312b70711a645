"""Devices that changed, each once, in the order in which that was noticed: what subscriptions go through.

Of each device only the last change by a reading, in the registry and by an alert is kept, so that it never
holds more than there are devices, however far somebody is behind. Pure; must not know who is told.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.overview.changed import ChangedAlert, ChangedDevice

HEARD, REGISTERED, ALERTED = range(3)
"""What a device changes by: a reading, the registry, an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceChange:
    """What changed of a device: its readings, what the registry says of it, its alerts."""

    name: str
    heard: bool
    registered: bool
    alerted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """The next changes for somebody.

    place: from where to go on. told_until: nothing that is left happened before it; None: there was nothing.
    """

    changes: Sequence[DeviceChange]
    place: int
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


class Changes:
    """The changes of all devices since somebody began to look."""

    def __init__(self) -> None:
        self.newest: datetime | None = None
        self.place = 0
        # By kind and municipality; in each the device that changed last is the last.
        self._kept: dict[tuple[str, str], dict[str, _Kept]] = {}

    def note_devices(self, found: Sequence[ChangedDevice], since: datetime) -> None:
        """Note what happened to devices after an instant, in their order; what is known is no news."""
        for one in found:
            for cause, at in ((HEARD, one.heard_at), (REGISTERED, one.registered_at)):
                if at is not None and at > since:
                    self._note(one, cause, at)
                    self.newest = at if self.newest is None else max(self.newest, at)

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

    def after(
        self, place: int, since: datetime, kinds: Collection[str], towns: Collection[str] | None, limit: int
    ) -> ChangePage:
        """Return the first changes that were noticed after a place and happened after an instant.

        Args:
            kinds: of devices that are meant.
            towns: where they stand; None: anywhere.
        """
        waiting: list[tuple[int, datetime, _Kept]] = []
        for (kind, town), group in self._kept.items():
            if kind not in kinds or (towns is not None and town not in towns):
                continue
            for kept in reversed(group.values()):
                if max(kept.places) <= place:
                    break
                if new := kept.after(place, since):
                    waiting.append((max(new)[0], min(at for _, at in new), kept))
        first = heapq.nsmallest(limit, waiting, key=lambda one: one[0])
        if len(first) == len(waiting):
            told_until = max((at for _, at, _ in first), default=None)
            return ChangePage(
                changes=[kept.change(place, since) for *_, kept in first],
                place=self.place,
                told_until=told_until,
            )
        last = first[-1][0]
        return ChangePage(
            changes=[kept.change(place, since) for *_, kept in first],
            place=last,
            told_until=min(at for noticed, at, _ in waiting if noticed > last),
        )
