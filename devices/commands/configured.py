"""What devices are to be set to and what they report, as rows. Must not know MQTT or HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from devices.commands.configuration import DeviceConfig, merged
from devices.commands.queue import TELL
from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.registry.errors import Conflict
from devices.registry.registry import get_device
from devices.wire import channels
from devices.wire.channels import Report
from devices.wire.topics import Channel, Topic
from store import audit
from store.audit import Actor
from store.connection import Connection

SEND_AGAIN = timedelta(minutes=1)
"""How soon what the broker keeps is sent once more for a device that does not know it."""

_LIST = """
SELECT
    d.name AS device, m.name AS municipality, d.kind, coalesce(c.desired, '{}') AS desired,
    coalesce(c.version, 0) AS version, c.desired_at, author.name AS desired_by,
    coalesce(c.reported, '{}') AS reported, coalesce(c.refused, '{}') AS refused, c.reported_version,
    c.reported_at, c.firmware
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device_config AS c ON d.id = c.device_id
LEFT JOIN named_principal AS author ON c.desired_by = author.id
WHERE
    ($1::text IS NULL OR d.name = $1) AND ($2::text[] IS NULL OR m.name = ANY($2))
    AND (NOT $3 OR (NOT c.reported @> c.desired AND d.retired_at IS NULL))
    AND ($4::text IS NULL OR d.name > $4) AND ($5::text IS NULL OR d.kind = $5)
ORDER BY d.name
LIMIT $6
"""


async def get_config(connection: Connection, device: str) -> DeviceConfig:
    """Return what a device is to be set to, and what it says.

    Raises:
        NotFound: there is no such device.
    """
    known = await get_device(connection, device)
    row = await connection.fetchrow(_LIST, known.name, None, False, None, None, 1)
    assert row is not None, "a device that is there"
    return DeviceConfig(**row)


async def list_configs(
    connection: Connection,
    *,
    drifting: bool,
    kind: str | None = None,
    within: Collection[str] | None = None,
    after: str | None = None,
    limit: int = 100,
) -> list[DeviceConfig]:
    """Return a page of configurations by device; `drifting`: only of those in service set otherwise."""
    towns = None if within is None else sorted(within)
    return [
        DeviceConfig(**r) for r in await connection.fetch(_LIST, None, towns, drifting, after, kind, limit)
    ]


_DESIRE = """
INSERT INTO device_config AS c (device_id, desired, version, desired_at, desired_by)
VALUES ($1, $2, 1, $3, $4)
ON CONFLICT (device_id) DO UPDATE SET
    desired = excluded.desired, version = c.version + 1, desired_at = excluded.desired_at,
    desired_by = excluded.desired_by, refused = '{}'
WHERE c.version = $5
RETURNING version
"""


async def desire(
    connection: Connection,
    kinds: Kinds,
    device: str,
    changes: Mapping[str, Any],
    now: Now,
    *,
    by: Actor,
    version: int | None = None,
) -> DeviceConfig:
    """Change what a device is to be set to; None takes a wish back, and the device keeps what it has.

    Args:
        version: the one that was read; None: whichever it is.

    Raises:
        NotFound: there is no such device.
        Invalid: it cannot be set so.
        Conflict: the device is retired, or its configuration was changed meanwhile.
    """
    known = await get_device(connection, device)
    if known.retired_at is not None:
        raise Conflict(f"device {device!r} is retired; reinstate it first")
    before = await get_config(connection, device)
    if version is not None and version != before.version:
        raise Conflict(f"the configuration of {device!r} is at version {before.version}; read it again")
    wanted = merged(kinds.get(known.kind), before.desired, changes)
    if wanted == before.desired:
        return before
    async with connection.transaction():
        row = (known.id, wanted, to_datetime(now()), by.principal, before.version)
        if await connection.fetchval(_DESIRE, *row) is None:
            raise Conflict(f"the configuration of {device!r} was changed meanwhile; read it again")
        await audit.record(
            connection,
            by=by,
            municipality=known.municipality_id,
            action="device.configure",
            subject=known.name,
            before=dict(before.desired),
            after=wanted,
            now=now(),
        )
        await connection.execute(TELL)
    return await get_config(connection, device)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueConfig:
    """What the broker is to keep for a device; nothing where it is retired.

    stale: the topic at which it keeps something older, unless that is another device's by now.
    """

    device_id: int
    municipality: str
    kind: str
    wire_name: str
    desired: Any
    version: int
    stale: str | None
    retired: bool

    @property
    def left(self) -> str | None:
        """The topic at which nothing is to be kept any more."""
        return self.stale if self.retired or self.stale != self.topic else None

    @property
    def topic(self) -> str:
        """Where the device listens for it."""
        return str(Topic(self.municipality, self.kind, self.wire_name, Channel.CONFIG))

    @property
    def payload(self) -> bytes:
        """What the device reads."""
        return channels.config(self.version, self.desired)


_DUE = """
SELECT
    c.device_id, m.name AS municipality, d.kind, coalesce(h.wire_name, d.name) AS wire_name, c.desired,
    c.version, d.retired_at IS NOT NULL AS retired,
    CASE
        WHEN NOT EXISTS (
            SELECT FROM device_config AS other
            WHERE other.published_topic = c.published_topic AND other.device_id <> c.device_id
        ) THEN c.published_topic
    END AS stale
FROM device_config AS c
INNER JOIN device AS d ON c.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
WHERE
    (d.retired_at IS NULL AND c.published_version <> c.version)
    OR (
        $2 AND c.published_topic IS NOT NULL AND (
            d.retired_at IS NOT NULL
            OR c.published_topic
            <> format('nabd/v1/%s/%s/%s/config', m.name, d.kind, coalesce(h.wire_name, d.name))
        )
    )
ORDER BY c.device_id
LIMIT $1
"""


async def due_configs(connection: Connection, limit: int, *, moved: bool) -> Sequence[DueConfig]:
    """Return what is to be sent; `moved`: look also for devices that moved or retired, which costs more."""
    return [DueConfig(**row) for row in await connection.fetch(_DUE, limit, moved)]


_PUBLISHED = """
UPDATE device_config SET published_version = $2, published_topic = $3, published_at = $4 WHERE device_id = $1
"""


async def mark_published(connection: Connection, due: DueConfig, now: Now) -> None:
    """Note that the broker keeps it, or nothing for who is retired."""
    kept = (0, None) if due.retired else (due.version, due.topic)
    await connection.execute(_PUBLISHED, due.device_id, *kept, to_datetime(now()))


# A device that knows an older version than the broker should keep has not got it: perhaps nothing is kept.
_REPORTED = """
INSERT INTO device_config AS c (
    device_id, reported, refused, reported_version, reported_at, firmware
)
SELECT r.device_id, r.reported, r.refused, r.version, $6, r.firmware
FROM unnest($1::integer[], $2::jsonb[], $3::jsonb[], $4::integer[], $5::text[])
    AS r (device_id, reported, refused, version, firmware)
ON CONFLICT (device_id) DO UPDATE SET
    reported = excluded.reported, refused = excluded.refused, reported_version = excluded.reported_version,
    reported_at = excluded.reported_at, firmware = coalesce(excluded.firmware, c.firmware),
    published_version = CASE
        WHEN
            c.version > coalesce(excluded.reported_version, 0) AND c.published_version = c.version
            AND c.published_at < excluded.reported_at - $7::interval
            THEN 0
        ELSE c.published_version
    END
"""


async def record_reports(connection: Connection, reports: Mapping[int, Report], now: Now) -> None:
    """Keep what devices say they are set to, by device number; what was said before is over."""
    if not reports:
        return
    columns = (
        list(reports),
        [r.config for r in reports.values()],
        [r.refused for r in reports.values()],
        [r.version for r in reports.values()],
        [r.firmware for r in reports.values()],
    )
    await connection.execute(_REPORTED, *columns, to_datetime(now()), SEND_AGAIN)
    await connection.execute(TELL)


_DRIFT = """
SELECT count(*) FROM device_config AS c
INNER JOIN device AS d ON c.device_id = d.id
WHERE NOT c.reported @> c.desired AND d.retired_at IS NULL AND c.desired_at < $1
"""


async def drifting(connection: Connection, before: int) -> int:
    """Count the devices in service that are not set as was wanted before an instant, in microseconds."""
    count: int = await connection.fetchval(_DRIFT, to_datetime(before))
    return count
