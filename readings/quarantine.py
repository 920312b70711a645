"""The quarantine: rejections of devices that are not registered, or registered elsewhere.

An operator adopts a device, or corrects it, and requests a replay; ingest then takes the rejections that are
due and receives them again. Must not know how ingest stores them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.registry import hardware, registration
from devices.registry.errors import Invalid, NotFound
from devices.registry.registration import NewDevice
from devices.registry.registry import Device, get_device
from devices.wire import topics
from readings.rejections import Rejection
from store import audit
from store.audit import Actor
from store.connection import Connection

REASONS = ("unknown_device", "unknown_municipality", "unknown_kind", "misplaced", "not_your_device")
"""Reasons that a change of the registry can remove, so that a replay may succeed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDevice:
    """One device in quarantine for one reason, with the municipality and kind of its topics.

    `gateway` is the gateway that relayed it, None when it published itself; `payload` what it sent last.
    """

    device: str
    kind: str
    municipality: str
    gateway: str | None
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    payload: bytes = b""


# Payloads are read of what is returned only: a device may have sent a million.
_UNKNOWN = """
WITH waiting AS (
    SELECT
        device, topic, reason, count(*) AS count,
        min(received_at) AS first_at, max(received_at) AS last_at, max(id) AS newest
    FROM rejection
    WHERE
        reason = ANY($1) AND replayed_at IS NULL
        AND ($2::text IS NULL OR device = $2)
        AND device NOT IN (SELECT name FROM banned_device)
        AND ($4::text [] IS NULL OR split_part(topic, '/', 3) = ANY($4))
    GROUP BY device, topic, reason
    ORDER BY max(received_at) DESC, max(id) DESC
    LIMIT $3
)

SELECT w.device, w.topic, w.reason, w.count, w.first_at, w.last_at, newest.payload
FROM waiting AS w
INNER JOIN rejection AS newest ON w.newest = newest.id
ORDER BY w.last_at DESC, w.newest DESC
"""


async def unknown_devices(
    connection: Connection,
    *,
    device: str | None = None,
    limit: int = 1000,
    within: Collection[str] | None = None,
) -> list[UnknownDevice]:
    """Return the devices in quarantine, the most recent first; what was replayed or banned is left out.

    Args:
        connection: the database.
        device: only the device of this name.
        limit: at most so many.
        within: only those whose topic names one of these municipalities; None: whatever it names.
    """
    towns = None if within is None else list(within)
    rows = await connection.fetch(_UNKNOWN, list(REASONS), device, limit, towns)
    return [_unknown(row) for row in rows]


def _unknown(row: asyncpg.Record) -> UnknownDevice:
    levels = [*row["topic"].split("/"), "", "", "", ""]
    municipality, kind, speaker = levels[2:5]
    relayed = kind == topics.GATEWAY and row["device"] != speaker
    return UnknownDevice(
        device=row["device"],
        kind=_kind_of(row["payload"]) if relayed else kind,
        municipality=municipality,
        gateway=speaker if relayed else None,
        reason=row["reason"],
        count=row["count"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        payload=row["payload"],
    )


def _kind_of(payload: bytes) -> str:
    """Return the kind in a relayed element, empty when there is none."""
    try:
        element = json.loads(payload)
    except (ValueError, RecursionError):
        return ""
    kind = element.get("kind") if isinstance(element, dict) else None
    return kind if isinstance(kind, str) else ""


_FIRST_HEARD = """
SELECT min(received_at) FROM rejection
WHERE device = $1 AND reason = ANY($2) AND replayed_at IS NULL
"""


async def adopt(
    connection: Connection,
    kinds: Kinds,
    name: str,
    now: Now,
    *,
    title: str = "",
    lat: float | None = None,
    lon: float | None = None,
    attributes: Mapping[str, Any] | None = None,
    kind: str | None = None,
    by: Actor,
) -> tuple[Device, int]:
    """Register an unknown device as its topics describe it, and request the replay of what it sent.

    It is installed since it was first heard.

    Args:
        kind: where its topics do not say, or name one that is not declared.

    Returns:
        The new device, and how many rejections will be replayed.

    Raises:
        NotFound: nothing of that name is in quarantine.
        AlreadyExists: it is registered; correct it with `nabd device edit` and replay instead.
        Invalid: a device as its topics describe it cannot be registered.
    """
    described = await unknown_devices(connection, device=name, limit=1)
    if not described:
        raise NotFound("device in quarantine", name, "`nabd device quarantine` shows them")
    found = described[0]
    named = found.kind if found.kind in kinds else kind or found.kind
    if not named:
        raise Invalid("kind", f"gateway {found.gateway} does not say; name it (--kind)")
    new = NewDevice(
        name=name,
        kind=named,
        municipality=found.municipality,
        relays=() if found.gateway is None else (found.gateway,),
        title=title,
        lat=lat,
        lon=lon,
        attributes=attributes or {},
        installed_at=await connection.fetchval(_FIRST_HEARD, name, list(REASONS)),
    )
    async with connection.transaction():
        marked = await _mark(connection, name, now)
        device = await registration.add_device(connection, kinds, new, now, by=by)
        await _record_replay(connection, device.municipality_id, name, marked, now, by)
        return device, marked


async def take_place(
    connection: Connection,
    name: str,
    place: str,
    now: Now,
    *,
    serial: str | None = None,
    reason: str,
    by: Actor,
) -> tuple[Device, int]:
    """Let an unknown device be the hardware of a place, and receive again what it sent.

    It stands there since it was first heard; from now on where what stands there came later.

    Args:
        name: what it calls itself on the wire.
        place: the device whose hardware it replaces.
        serial: of the new hardware; None: its name.
        reason: why the old one was removed.

    Returns:
        The place, and how many rejections will be replayed.

    Raises:
        NotFound: nothing of that name is in quarantine, or no device has the name of the place.
        Conflict: the place is retired.
        Invalid: it cannot stand there.
    """
    heard = await connection.fetchval(_FIRST_HEARD, name, list(REASONS))
    if heard is None:
        raise NotFound("device in quarantine", name, "`nabd device quarantine` shows them")
    async with connection.transaction():
        stands = await get_device(connection, place)
        since = heard if stands.installed_at is not None and stands.installed_at < heard else None
        device = await hardware.replace_hardware(
            connection,
            place,
            serial or name,
            wire_name=name,
            at=since,
            reason=reason,
            now=now,
            by=by,
        )
        marked = await _mark(connection, name, now)
        await _record_replay(connection, device.municipality_id, name, marked, now, by)
        return device, marked


_REQUEST = """
UPDATE rejection SET replay_requested_at = $3
WHERE device = $1 AND reason = ANY($2) AND replay_requested_at IS NULL AND replayed_at IS NULL
RETURNING id
"""


_MUNICIPALITY = "SELECT municipality_id FROM device WHERE name = $1"


async def request_replay(connection: Connection, device: str, now: Now, *, by: Actor) -> int:
    """Mark what the device has in quarantine to be received again; return how many rejections that is."""
    async with connection.transaction():
        marked = await _mark(connection, device, now)
        municipality = await connection.fetchval(_MUNICIPALITY, device)
        await _record_replay(connection, municipality, device, marked, now, by)
    return marked


async def _record_replay(
    connection: Connection, municipality: int | None, device: str, marked: int, now: Now, by: Actor
) -> None:
    if marked:
        await audit.record(
            connection,
            by=by,
            municipality=municipality,
            action="quarantine.replay",
            subject=device,
            after={"rejections": marked},
            now=now(),
        )


async def _mark(connection: Connection, device: str, now: Now) -> int:
    return len(await connection.fetch(_REQUEST, device, list(REASONS), to_datetime(now())))


_TAKE = """
SELECT
    id, shard, batch, received_at, topic, device, reason, pointer, detail, payload,
    replay_requested_at, replayed_at
FROM rejection
WHERE
    replay_requested_at IS NOT NULL AND replayed_at IS NULL
    AND coalesce((SELECT m.shard FROM municipality AS m WHERE m.name = split_part(topic, '/', 3)), shard) = $2
ORDER BY received_at, id
LIMIT $1
"""


async def take_replay(connection: Connection, shard: str, limit: int) -> list[Rejection]:
    """Return rejections of a shard's municipalities whose replay is due, the first received first.

    They stay due until `mark_replayed`; only the owner of the shard replays, so no other process takes them.
    """
    return [Rejection(**row) for row in await connection.fetch(_TAKE, limit, shard)]


_REPLAYED = "UPDATE rejection SET replayed_at = $2 WHERE id = ANY($1)"


async def mark_replayed(connection: Connection, ids: Sequence[int], now: Now) -> None:
    """Mark rejections as received again; each counts again in the ledger, as stored or rejected."""
    await connection.execute(_REPLAYED, list(ids), to_datetime(now()))
