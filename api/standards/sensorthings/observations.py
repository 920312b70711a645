"""Observations as they are asked for, read from the readings of few devices, a bounded number of them.

Instants in the filter become the span that the database reads. Must not know HTTP.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from alerts.overview.now import Lend
from api.standards.effort import Effort
from api.standards.sensorthings import model
from api.standards.sensorthings.evaluate import is_true, sort_key, values
from api.standards.sensorthings.expression import Call, Literal, Node, Path, conjuncts, paths_of
from api.standards.sensorthings.model import StaEntity
from api.standards.sensorthings.options import Options
from api.standards.sensorthings.world import World
from devices.instants import MICROSECOND
from readings import history
from readings.history import Reading

READINGS = 50_000
"""That one answer looks at."""
NESTED_READINGS = 100
"""Of each device whose Observations are told beside what was asked for; then there is a next page."""
QUERY = 50
"""How many readings one more question to the database counts as."""
DEVICES = 20
"""Whose readings are merged into one list."""
TIMES = ("phenomenonTime", "resultTime")
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)
_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq"}


class TooWide(Exception):
    """More would have to be read than is read for one answer; the text says how to ask for less."""


@dataclass
class Budget:
    """How many readings one answer may still look at."""

    left: int = field(default=READINGS)

    def take(self, readings: int) -> None:
        """Count readings that were looked at.

        Raises:
            TooWide: they are too many.
        """
        self.left -= readings
        if self.left < 0:
            raise TooWide(
                f"more than {READINGS} readings: narrow phenomenonTime by $filter, or ask for fewer"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A page of Observations. more: others follow. count: how many there are, None where nobody asked."""

    page: Sequence[StaEntity]
    more: bool
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class ObservationReader:
    """Reads Observations for one answer, and judges them within its effort."""

    lend: Lend
    effort: Effort
    world: World
    now: datetime
    budget: Budget = field(default_factory=Budget)
    _pages: dict[tuple[int, bool, datetime, datetime], list[Reading]] = field(default_factory=dict)

    async def beside(self, stream: StaEntity, options: Options) -> Observed:
        """Return Observations of one of many Datastreams: what the device's first readings have.

        Raises:
            TooWide: too many readings were looked at for this answer.
        """
        descending = _by_time(options.order)
        if descending is None:
            return await self.observed([stream], options)
        device, kind = stream.device, stream.kind
        assert device is not None
        assert kind is not None
        start, end = span_of(options.filter)
        key = (device.id, descending, start, end)
        if key not in self._pages:
            query = history.newest if descending else history.readings
            names = [m.name for m in kind.measurements]
            async with self.lend() as connection:
                self._pages[key] = await query(
                    connection, kind, device.id, measurements=names, start=start, end=end,
                    limit=NESTED_READINGS,
                )  # fmt: skip
            self.budget.take(len(self._pages[key]) + QUERY)
        readings = self._pages[key]
        found = await self.effort.spend(self._fitting, [stream], readings, options.filter)
        shown = _page(found, options)
        return Observed(
            page=shown.page,
            more=shown.more or (len(readings) == NESTED_READINGS and len(shown.page) < options.top),
            count=shown.count if len(readings) < NESTED_READINGS else None,
        )

    async def observed(self, streams: Sequence[StaEntity], options: Options) -> Observed:
        """Return the Observations of Datastreams that are asked for.

        Raises:
            TooWide: they are of too many devices, or too many.
        """
        wanted = await self.effort.spend(self._that_may_fit, streams, options.filter)
        by_device: dict[int, list[StaEntity]] = {}
        for one in wanted:
            assert one.device is not None
            by_device.setdefault(one.device.id, []).append(one)
        if len(by_device) > DEVICES:
            raise TooWide(
                f"Observations of {len(by_device)} devices: ask Datastreams(…)/Observations, or narrow by"
                f" Datastream/… in $filter to {DEVICES}"
            )
        descending = _by_time(options.order)
        if descending is None:
            return await self._sorted(by_device, options)
        return await self._in_order(by_device, options, descending)

    async def _in_order(
        self, by_device: dict[int, list[StaEntity]], options: Options, descending: bool
    ) -> Observed:
        most = None if options.count else options.skip + options.top + 1
        several = []
        for streams in by_device.values():
            found = [one async for one in self._of_device(streams, options.filter, descending, most)]
            several.append(found)
        return _page(await self.effort.spend(_merged, several, descending, most), options)

    async def _sorted(self, by_device: dict[int, list[StaEntity]], options: Options) -> Observed:
        found = [
            one
            for streams in by_device.values()
            async for one in self._of_device(streams, options.filter, False, None)
        ]
        ordered = await self.effort.spend(in_order, self.world, found, options, self.now)
        return _page(ordered, options)

    async def _of_device(
        self, streams: Sequence[StaEntity], asked: Node | None, descending: bool, most: int | None
    ) -> AsyncIterator[StaEntity]:
        """Yield the Observations of one device that fit, by their instants, `most` at most."""
        yielded = 0
        start, end = span_of(asked)
        async for page in self._readings(streams, start, end, descending, most):
            for one in await self.effort.spend(self._fitting, streams, page, asked):
                yield one
                yielded += 1
                if yielded == most:
                    return

    def _fitting(
        self, streams: Sequence[StaEntity], readings: Sequence[Reading], asked: Node | None
    ) -> list[StaEntity]:
        told = (model.observation(stream, reading) for reading in readings for stream in streams)
        return [one for one in told if one is not None and fits(self.world, one, asked, self.now)]

    async def _readings(
        self,
        streams: Sequence[StaEntity],
        start: datetime,
        end: datetime,
        descending: bool,
        most: int | None,
    ) -> AsyncIterator[Sequence[Reading]]:
        """Yield pages of readings."""
        device, kind = streams[0].device, streams[0].kind
        assert device is not None
        assert kind is not None
        names = [one.measurement.name for one in streams if one.measurement is not None]
        query = history.newest if descending else history.readings
        limit = 1000 if most is None else max(10, min(1000, most))
        while start < end:
            async with self.lend() as connection:
                page = await query(
                    connection, kind, device.id, measurements=names, start=start, end=end, limit=limit,
                    with_values=True,
                )  # fmt: skip
            self.budget.take(len(page))
            yield page
            if len(page) < limit:
                return
            if descending:
                end = page[-1].observed_at
            else:
                start = page[-1].observed_at + MICROSECOND
            limit = 1000

    def _that_may_fit(self, streams: Sequence[StaEntity], asked: Node | None) -> list[StaEntity]:
        return [one for one in streams if self._may_fit(one, asked)]

    def _may_fit(self, stream: StaEntity, asked: Node | None) -> bool:
        """Tell whether what a filter asks of Datastreams alone is true of one."""
        for part in conjuncts(asked):
            heads = {path.parts[0] for path in paths_of(part)}
            if heads == {"Datastream"} and not is_true(
                part, lambda path: self.world.values(stream, path[1:]), self.now, self.world.check
            ):
                return False
        return True


def fits(world: World, entity: StaEntity, asked: Node | None, now: datetime) -> bool:
    """Tell whether a filter is true of an entity."""
    return asked is None or is_true(asked, world.seen_from(entity), now, world.check)


def in_order(world: World, entities: Sequence[StaEntity], options: Options, now: datetime) -> list[StaEntity]:
    """Return entities in the order that is asked for."""
    found = list(entities)
    for node, descending in reversed(options.order):

        def key(one: StaEntity, node: Node = node) -> tuple[int, object]:
            return sort_key(values(node, world.seen_from(one), now, world.check))

        found.sort(key=key, reverse=descending)
    return found


def _merged(several: Sequence[list[StaEntity]], descending: bool, most: int | None) -> list[StaEntity]:
    """Return Observations of several devices, each by instant, by instant."""
    sign = -1 if descending else 1
    merged = heapq.merge(*several, key=lambda one: sign * one.properties["phenomenonTime"].timestamp())
    return list(islice(merged, most))


def span_of(asked: Node | None) -> tuple[datetime, datetime]:
    """Return the span [start, end) outside of which a filter is never true."""
    start, end = FIRST, LAST
    for part in conjuncts(asked):
        bound = _bound(part)
        if bound is None:
            continue
        name, instant = bound
        instant = instant.astimezone(UTC)
        if name in ("gt", "ge", "eq"):
            start = max(start, instant)
        if name in ("lt", "le", "eq"):
            end = min(end, instant + MICROSECOND)
    return start, end


def _bound(part: Node) -> tuple[str, datetime] | None:
    match part:
        case Call(name=name, arguments=(Path(parts=(time,)), Literal(value=datetime() as instant))) if (
            name in _TURNED and time in TIMES
        ):
            return name, instant
        case Call(name=name, arguments=(Literal(value=datetime() as instant), Path(parts=(time,)))) if (
            name in _TURNED and time in TIMES
        ):
            return _TURNED[name], instant
        case _:
            return None


def _by_time(order: Sequence[tuple[Node, bool]]) -> bool | None:
    """Return whether Observations are wanted newest first; None where they are sorted by something else."""
    if not order:
        return False
    if len(order) == 1 and isinstance(order[0][0], Path) and order[0][0].parts in [(t,) for t in TIMES]:
        return order[0][1]
    return None


def _page(found: Sequence[StaEntity], options: Options) -> Observed:
    page = found[options.skip : options.skip + options.top]
    more = len(found) > options.skip + options.top
    return Observed(page=page, more=more, count=len(found) if options.count else None)


def instants_of(observation: str) -> datetime | None:
    """Return when the Observation of an id was observed, None where it is no such id."""
    digits = observation.rpartition(":")[2]
    if not digits.isascii() or not digits.removeprefix("-").isdigit() or len(digits) > 18:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(digits))
    except OverflowError:
        return None
