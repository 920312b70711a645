"""The hardware that stands at a place, and what stood there before: read, and replaced.

A place (`device`) keeps readings, alerts and work when its hardware is replaced. Must not know HTTP or MQTT.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from devices.instants import Now, rfc3339, to_datetime
from devices.registry import generation
from devices.registry.bans import refuse_banned
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.registry import Device, get_device
from devices.registry.validation import check_device_name
from store import audit
from store.audit import Actor
from store.connection import Connection

SERIAL = re.compile(r"[!-~]([ -~]{0,62}[!-~])?")
REASON_LIMIT = 500
REPLACED = "the hardware for which it was encoded was replaced"
"""What commands say that were bytes for another model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """One piece of hardware at a place; `removed_at` is None while it stands there."""

    device: str
    wire_name: str
    serial: str | None
    installed_at: datetime
    removed_at: datetime | None
    removed_reason: str


_HISTORY = """
SELECT d.name AS device, h.wire_name, h.serial, h.installed_at, h.removed_at, h.removed_reason
FROM hardware AS h
INNER JOIN device AS d ON h.device_id = d.id
WHERE d.name = $1
ORDER BY h.number DESC
"""


async def list_hardware(connection: Connection, device: str) -> list[Hardware]:
    """Return what stands at a place, and what stood there before, the newest first.

    Raises:
        NotFound: no device has that name.
    """
    await get_device(connection, device)
    return [Hardware(**row) for row in await connection.fetch(_HISTORY, device)]


def check_serial(serial: str | None) -> None:
    """Refuse a serial number that is empty, too long, or not printable.

    Raises:
        Invalid: field `serial`.
    """
    if serial is not None and not SERIAL.fullmatch(serial):
        raise Invalid("serial", f"{serial!r} is no serial number: 1 to 64 printable characters of ASCII")


_INSERT = """
INSERT INTO hardware (device_id, wire_name, serial, installed_at)
SELECT * FROM unnest($1::integer [], $2::text [], $3::text [], $4::timestamptz [])
"""

_TAKEN = """
SELECT h.wire_name, h.serial, d.name, d.retired_at IS NOT NULL AS retired
FROM hardware AS h
INNER JOIN device AS d ON h.device_id = d.id
WHERE h.removed_at IS NULL AND h.device_id <> $3 AND (h.wire_name = ANY($1) OR h.serial = ANY($2))
ORDER BY h.wire_name
LIMIT 1
"""


async def insert_hardware(connection: Connection, devices: Sequence[Device], moment: datetime) -> None:
    """Let each new device be the hardware of its name.

    Raises:
        AlreadyExists: a name is that of other hardware on the wire.
        Invalid: a serial stands elsewhere.
        Conflict: somebody else changed hardware at the same time.
    """
    names = [device.name for device in devices]
    serials = [device.serial for device in devices]

    async def refuse() -> None:
        await _refuse_names_and_serials(connection, names, [s for s in serials if s is not None])

    await refuse()
    installed = [device.installed_at or moment for device in devices]
    async with _refusing(connection, refuse):
        await connection.execute(_INSERT, [device.id for device in devices], names, serials, installed)


async def _refuse_names_and_serials(
    connection: Connection, names: Sequence[str], serials: Sequence[str]
) -> None:
    taken = await connection.fetchrow(_TAKEN, names, serials, 0)
    if taken is not None and taken["serial"] in serials:
        raise _elsewhere("serial", taken["serial"], taken)
    if taken is not None:
        raise AlreadyExists("device", taken["wire_name"], called_so(taken["name"]))


def called_so(device: str) -> str:
    """Return why a new device cannot have a name: the hardware of this one uses it."""
    return f"the hardware of {device} calls itself so on the wire: `nabd device hardware {device}`"


@asynccontextmanager
async def _refusing(connection: Connection, refuse: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Say where a serial or a name stands that somebody wrote down elsewhere since `refuse` found it free.

    Raises:
        Conflict: it stands there no longer.
    """
    try:
        async with connection.transaction():
            yield
    except asyncpg.UniqueViolationError:
        await refuse()
        raise Conflict("hardware was changed at the same time; do it again") from None


def _elsewhere(field: str, value: str, taken: asyncpg.Record) -> Invalid:
    return stands_elsewhere(field, value, taken["name"], retired=taken["retired"])


def stands_elsewhere(field: str, value: str, device: str, *, retired: bool) -> Invalid:
    """Return why a serial or a name on the wire is refused: hardware at another device has it."""
    where = f"{device}, which is retired" if retired else device
    fix = f"`nabd device hardware {device}` shows it; replace it there first"
    return Invalid(field, f"{value!r} stands in {where}: {fix}")


_SET_SERIAL = "UPDATE hardware SET serial = $2 WHERE device_id = $1 AND removed_at IS NULL"


async def set_serial(connection: Connection, device: Device, serial: str | None) -> None:
    """Write down the serial of what stands at a place, or take a wrong one away.

    Raises:
        Invalid: it is no serial, stands elsewhere, or another one is known: then that is a replacement.
        Conflict: somebody else changed hardware at the same time.
    """
    check_serial(serial)
    refuse_another(device, serial)

    async def refuse() -> None:
        if serial is not None:
            await _refuse_taken(connection, device, [], serial)

    await refuse()
    async with _refusing(connection, refuse):
        await connection.execute(_SET_SERIAL, device.id, serial)


def refuse_another(device: Device, serial: str | None) -> None:
    """Refuse to write another serial down where one is known.

    Raises:
        Invalid: field `serial`.
    """
    if serial is not None and device.serial not in (None, serial):
        raise Invalid(
            "serial",
            f"there stands {device.serial!r}: `nabd device replace {device.serial} {serial}` replaces it",
        )


async def _refuse_taken(
    connection: Connection, device: Device, wire_names: Sequence[str], serial: str
) -> None:
    taken = await connection.fetchrow(_TAKEN, wire_names, [serial], device.id)
    if taken is not None and taken["serial"] == serial:
        raise _elsewhere("serial", serial, taken)
    if taken is not None:
        raise _elsewhere("wire_name", taken["wire_name"], taken)


_BY_SERIAL = """
SELECT d.name, h.removed_at
FROM hardware AS h
INNER JOIN device AS d ON h.device_id = d.id
WHERE h.serial = $1
ORDER BY h.removed_at DESC NULLS FIRST
LIMIT 1
"""


async def find_place(connection: Connection, old: str) -> str:
    """Return the device where hardware of a serial stands, or that of this name while it has no serial.

    Raises:
        NotFound: there is neither.
        Invalid: the serial stands there no longer, or the device of that name has a serial.
    """
    found = await connection.fetchrow(_BY_SERIAL, old)
    if found is not None and found["removed_at"] is None:
        return str(found["name"])
    if found is not None:
        gone = rfc3339(found["removed_at"])
        fix = f"`nabd device hardware {found['name']}` shows what stands there"
        raise Invalid("old", f"{old!r} was taken from {found['name']} at {gone}; {fix}")
    try:
        device = await get_device(connection, old)
    except NotFound:
        hint = "give the serial of what stands there, or the device's name where it has none yet"
        raise NotFound("hardware", old, hint) from None
    if device.serial is not None:
        raise Invalid(
            "old", f"in {old} stands {device.serial!r}: name that serial, so that no other is meant"
        )
    return device.name


_LOCK = "SELECT FROM device WHERE name = $1 FOR NO KEY UPDATE"

_REMOVE = """
UPDATE hardware SET removed_at = $2, removed_reason = $3
WHERE device_id = $1 AND removed_at IS NULL AND installed_at <= $2
RETURNING number
"""

_STAND = """
INSERT INTO hardware (device_id, number, wire_name, serial, installed_at) VALUES ($1, $2, $3, $4, $5)
"""

# What is known of the old hardware's connection, clock and settings says nothing of the new one's.
_FORGET = """
WITH clock AS (DELETE FROM clock_offset WHERE device_id = $1),

connection AS (DELETE FROM presence WHERE device_id = $1),

config AS (
    UPDATE device_config SET
        reported = '{}', refused = '{}', reported_version = NULL, reported_at = NULL, firmware = NULL,
        published_version = 0
    WHERE device_id = $1
)

UPDATE device SET version = version + 1, updated_at = $2 WHERE id = $1
"""

# What a network server was to send to the old hardware may mean something else to the new one.
_WITHDRAW = """
WITH withdrawn AS (
    UPDATE command SET status = 'expired', detail = $3, updated_at = $2, due_at = NULL
    WHERE device_id = $1 AND payload IS NOT NULL AND status IN ('queued', 'sent')
    RETURNING id
)

SELECT pg_notify('nabd_command', '') FROM withdrawn LIMIT 1
"""


async def replace_hardware(
    connection: Connection,
    name: str,
    serial: str,
    *,
    wire_name: str | None = None,
    at: datetime | None = None,
    reason: str = "",
    now: Now,
    by: Actor,
) -> Device:
    """Let other hardware stand at a place from now on, or since an instant that has passed.

    Args:
        connection: the database.
        name: the device.
        serial: of the new hardware.
        wire_name: what it calls itself on the wire; None: as the old one did.
        at: since when; None: now.
        reason: why the old one was removed.
        now: the clock.
        by: who.

    Raises:
        NotFound: no device has that name.
        Conflict: it is retired, or somebody else changed hardware at the same time.
        Invalid: a field is not acceptable, or the serial or the wire name stands elsewhere.
    """
    moment = to_datetime(now())
    since = at or moment
    check_serial(serial)
    if wire_name is not None:
        _check_wire_name(wire_name)
    if len(reason) > REASON_LIMIT or "\x00" in reason:
        raise Invalid("reason", f"at most {REASON_LIMIT} characters")
    if since > moment:
        raise Invalid("at", f"{rfc3339(since)} is yet to come: replace it then")
    async with connection.transaction():
        await connection.execute(_LOCK, name)
        device = await get_device(connection, name)
        if device.retired_at is not None:
            raise Conflict(f"device {name!r} is retired; `nabd device edit {name} --reinstate` puts it back")
        if device.serial == serial:
            raise Invalid("serial", f"{serial!r} stands there already")
        wire = wire_name or device.wire
        await refuse_banned(connection, [wire])

        async def refuse() -> None:
            await _refuse_taken(connection, device, [wire], serial)

        await refuse()
        number = await connection.fetchval(_REMOVE, device.id, since, reason.strip())
        if number is None:
            raise Invalid("at", f"{rfc3339(since)} lies before the installation of what stands there now")
        async with _refusing(connection, refuse):
            await connection.execute(_STAND, device.id, number + 1, wire, serial, since)
        await connection.execute(_FORGET, device.id, moment)
        await connection.execute(_WITHDRAW, device.id, moment, REPLACED)
        replaced = await get_device(connection, name)
        await audit.record(
            connection,
            by=by,
            municipality=device.municipality_id,
            action="device.replace",
            subject=name,
            before={"serial": device.serial, "wire_name": device.wire},
            after={"serial": serial, "wire_name": wire, "installed_at": since, "reason": reason.strip()},
            now=now(),
        )
        await generation.advance(connection)
    return replaced


def _check_wire_name(wire_name: str) -> None:
    try:
        check_device_name(wire_name)
    except Invalid as problem:
        raise Invalid("wire_name", problem.message) from None
