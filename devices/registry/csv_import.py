"""Importing a list of devices: what each line would do, then all of it in one transaction.

Must not know files or terminals.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.instants import Now
from devices.kinds import Kinds
from devices.registry import generation, registry
from devices.registry.csv_rows import ATTRIBUTE, CsvRow, CsvRows, LineProblem
from devices.registry.editing import change_device, edits, grounded
from devices.registry.errors import Invalid
from devices.registry.ground.feature import AUTO
from devices.registry.ground.layers import district_codes
from devices.registry.ground.located import unknown_district
from devices.registry.hardware import called_so, check_serial, refuse_another, stands_elsewhere
from devices.registry.new_device import NewDevice, Parent, check_parent, find_municipality
from devices.registry.placement import check_near
from devices.registry.registration import additions, insert_devices
from devices.registry.registry import Device, Registry
from devices.registry.relays import check_relays, parent_as_relay
from store import audit
from store.audit import Actor
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What an import will do; lines with a problem are left out."""

    add: list[CsvRow]
    edit: list[tuple[Device, Mapping[str, Any]]]
    unchanged: int
    problems: list[LineProblem]

    @property
    def steps(self) -> int:
        """How many devices will be written."""
        return len(self.add) + len(self.edit)


async def plan(connection: Connection, read: CsvRows, *, update: bool) -> ImportPlan:
    """Compare a list with the registry.

    Args:
        connection: the database.
        read: the list, with the problems found in it alone.
        update: change devices that are registered already; otherwise they are a problem.
    """
    named = {row.new.municipality for row in read.rows if row.new.district is not None}
    districts = await district_codes(connection, named) if named else {}
    registered = await registry.load(connection)
    return await asyncio.to_thread(plan_against, registered, districts, read, update=update)


def plan_against(
    registered: Registry, districts: Mapping[str, Collection[str]], read: CsvRows, *, update: bool
) -> ImportPlan:
    """Compare a list with a snapshot of the registry and codes of districts; see `plan`. Pure."""
    accepted: dict[str, CsvRow] = {}
    standing = _standing(registered)
    result = ImportPlan(add=[], edit=[], unchanged=0, problems=list(read.problems))
    unchanged = 0
    for row in _parents_first(read.rows):
        known = _known(registered, accepted, row.new)
        row = _with_relays(row, known)
        try:
            _check_against(registered, accepted, known, row, update=update)
            _check_district(districts, row)
            _check_hardware(standing, registered.by_name.get(row.new.name), row)
        except Invalid as problem:
            result.problems.append(LineProblem(line=row.line, field=problem.field, message=problem.message))
            continue
        accepted[row.new.name] = row
        if row.new.serial is not None:
            standing.serials.setdefault(row.new.serial, row)
        device = registered.by_name.get(row.new.name)
        if device is None:
            result.add.append(row)
        elif changes := _changes(device, row):
            result.edit.append((device, changes))
        else:
            unchanged += 1
    result.problems.sort(key=lambda problem: problem.line)
    return ImportPlan(add=result.add, edit=result.edit, unchanged=unchanged, problems=result.problems)


def _parents_first(rows: Sequence[CsvRow]) -> Iterator[CsvRow]:
    """Yield rows after their parents; those in a circle of parents come last."""
    left = Counter(row.new.name for row in rows)
    followers: dict[str, list[int]] = {}
    waits_for: list[int] = []
    for i, row in enumerate(rows):
        named = {name for name in (row.new.parent, *row.new.relays) if name is not None and name in left}
        waits_for.append(len(named))
        for name in named:
            followers.setdefault(name, []).append(i)
    ready = deque(i for i, count in enumerate(waits_for) if count == 0)
    done: set[int] = set()
    while ready:
        i = ready.popleft()
        done.add(i)
        yield rows[i]
        left[rows[i].new.name] -= 1
        if left[rows[i].new.name] == 0:
            for follower in followers.get(rows[i].new.name, ()):
                waits_for[follower] -= 1
                if waits_for[follower] == 0:
                    ready.append(follower)
    yield from (row for i, row in enumerate(rows) if i not in done)


def _check_against(
    registered: Registry,
    accepted: Mapping[str, CsvRow],
    known: Mapping[str, Parent],
    row: CsvRow,
    *,
    update: bool,
) -> None:
    new = row.new
    if new.name in accepted:
        raise Invalid("name", f"{new.name!r} stands on line {accepted[new.name].line} already")
    device = registered.by_name.get(new.name)
    if device is not None and not update:
        raise Invalid("name", f"{new.name!r} is registered already; --update changes it")
    if device is not None and device.kind != new.kind:
        raise Invalid("kind", f"{new.name!r} is a {device.kind}, and a kind never changes")
    municipality = find_municipality(new.municipality, registered.municipalities)
    check_near(new.lat, new.lon, new.attributes, municipality)
    stays = device.relays if device is not None and device.municipality == new.municipality else ()
    check_relays(new, known, stays)
    if new.parent is not None:
        check_parent(new.parent, known.get(new.parent), new.municipality)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """Where hardware stands, by its serial, and by its name on the wire; a row: it will."""

    serials: dict[str, Device | CsvRow]
    wire_names: Mapping[str, Device]


def _standing(registered: Registry) -> _Standing:
    devices = registered.devices.values()
    return _Standing(
        serials={d.serial: d for d in devices if d.serial is not None},
        wire_names={d.wire: d for d in devices},
    )


def _check_hardware(standing: _Standing, device: Device | None, row: CsvRow) -> None:
    new = row.new
    check_serial(new.serial)
    if device is not None:
        refuse_another(device, new.serial)
    elif (user := standing.wire_names.get(new.name)) is not None:
        raise Invalid("name", called_so(user.name))
    there = None if new.serial is None else standing.serials.get(new.serial)
    if isinstance(there, CsvRow):
        raise Invalid("serial", f"{new.serial!r} stands on line {there.line} already")
    if there is not None and there is not device:
        raise stands_elsewhere("serial", str(new.serial), there.name, retired=there.retired_at is not None)


def _known(registered: Registry, accepted: Mapping[str, CsvRow], new: NewDevice) -> dict[str, Parent]:
    """Return what is known of the devices that a row names as its parent and its relays."""
    found = {n: _parent(registered, accepted, n) for n in (new.parent, *new.relays) if n is not None}
    return {name: parent for name, parent in found.items() if parent is not None}


def _with_relays(row: CsvRow, known: Mapping[str, Parent]) -> CsvRow:
    """Return the row with a gateway that it names as parent among its relays."""
    new = parent_as_relay(row.new, known)
    if new is row.new:
        return row
    return CsvRow(line=row.line, new=new, said=row.said - {"parent"} | {"relays"})


def _check_district(districts: Mapping[str, Collection[str]], row: CsvRow) -> None:
    code, known = row.new.district, districts.get(row.new.municipality, ())
    if code is not None and code.lower() != AUTO and code not in known:
        raise unknown_district(code, row.new.municipality, known)


def _parent(registered: Registry, accepted: Mapping[str, CsvRow], name: str) -> Parent | None:
    if name in accepted:
        new = accepted[name].new
        return Parent(id=0, kind=new.kind, municipality=new.municipality)
    device = registered.by_name.get(name)
    if device is None:
        return None
    retired = device.retired_at is not None
    return Parent(id=device.id, kind=device.kind, municipality=device.municipality, retired=retired)


def _changes(device: Device, row: CsvRow) -> dict[str, Any]:
    """Return the fields in which the row differs; an empty cell is no difference."""
    fields = ("municipality", "parent", "title", "lat", "lon", "installed_at", "serial")
    changes: dict[str, Any] = {
        field: getattr(row.new, field)
        for field in fields
        if field in row.said and getattr(row.new, field) != getattr(device, field)
    }
    titles = {one: said for one, said in row.new.titles.items() if device.titles.get(one) != said}
    changes |= {"titles": titles} if titles else {}
    if "relays" in row.said and set(row.new.relays) != set(device.relays):
        changes["relays"] = row.new.relays
    attributes = {
        name: value
        for name, value in row.new.attributes.items()
        if f"{ATTRIBUTE}{name}" in row.said and device.attributes.get(name) != value
    }
    if row.new.district is not None and _differs(device, row.new.district):
        changes["district"] = row.new.district
    return changes | ({"attributes": attributes} if attributes else {})


def _differs(device: Device, district: str) -> bool:
    """Tell whether a device is to be in another district, or for another reason."""
    if district.lower() == AUTO:
        return device.district_by_hand
    return not device.district_by_hand or device.district != district


async def carry_out(
    connection: Connection,
    kinds: Kinds,
    planned: ImportPlan,
    now: Now,
    *,
    by: Actor,
    on_progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Write everything planned, or nothing; the audit has each device.

    Args:
        connection: the database.
        kinds: the declared kinds.
        planned: what to write; its problems are left out.
        now: the clock.
        by: who.
        on_progress: called with how many more devices are written.

    Raises:
        RegistryError: the registry changed since the plan was made.
    """
    async with connection.transaction():
        async with grounded(connection, planned.edit):
            added = await insert_devices(
                connection, kinds, [row.new for row in planned.add], now, on_progress=on_progress
            )
            audited = additions(added)
            for device, changes in planned.edit:
                audited += edits(device, await change_device(connection, kinds, device, changes, now))
                on_progress(1)
        if planned.steps:
            await audit.record_many(connection, audited, by=by, now=now())
            await generation.advance(connection)
