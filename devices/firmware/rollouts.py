"""Rollouts as people start and read them. Steering: devices.firmware.steering; by themselves: advance."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from devices.firmware.images import get_image
from devices.firmware.rollout import (
    DEFAULT_STAGES,
    RolloutCandidate,
    RolloutState,
    check_stages,
    in_order,
    stage_of,
)
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_municipality
from store import audit
from store.audit import Actor
from store.connection import Connection

WATCH_S = 3_600
OFFER_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRollout:
    """What is to be brought where, and how carefully; see devices.firmware.rollout.

    municipality: None: all. offer_s: how long a device may take to hear of it, in seconds.
    """

    kind: str
    version: str
    municipality: str | None = None
    stages: Sequence[int] = DEFAULT_STAGES
    tolerated_pct: int = 10
    watch_s: int = WATCH_S
    offer_s: int = OFFER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A rollout as it stands; counts: devices by state, alerted: those that raised an alert.

    left_out: devices that lack the image and cannot fetch it, because they have no password.
    """

    id: int
    kind: str
    version: str
    sha256: str
    municipality: str | None
    stages: tuple[int, ...]
    stage: int
    tolerated_pct: int
    watch_s: int
    offer_s: int
    state: RolloutState
    detail: str | None
    started_by: str
    started_at: datetime
    settled_at: datetime | None
    ended_at: datetime | None
    devices: int
    left_out: int
    reached: int
    alerted: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutDevice:
    """One device of a rollout."""

    device: str
    municipality: str
    position: int
    stage: int
    state: str
    detail: str | None
    alerted: bool
    firmware: str | None
    changed_at: datetime


# An image is fetched with a password: who has a certificate alone, or speaks
# through a gateway alone, cannot; HTTP Basic takes no user name with a colon.
_CANDIDATES = """
SELECT
    d.id, d.name, coalesce(p.name, g.name, '') AS beside,
    EXISTS (
        SELECT FROM device_credential AS k
        WHERE
            k.device_id = d.id AND k.form = 'password' AND (k.ends_at IS NULL OR k.ends_at > $4)
            AND k.username = coalesce(h.wire_name, d.name) AND position(':' IN k.username) = 0
    ) AS can_fetch
FROM device AS d
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN device_config AS c ON d.id = c.device_id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
WHERE
    d.kind = $1 AND d.retired_at IS NULL AND d.installed_at IS NOT NULL
    AND ($2::integer IS NULL OR d.municipality_id = $2) AND c.firmware IS DISTINCT FROM $3
ORDER BY d.name
"""
_BUSY = """
SELECT r.id
FROM rollout AS r
INNER JOIN rollout_device AS o ON r.id = o.rollout_id
WHERE r.state IN ('running', 'paused', 'stopped') AND o.device_id = ANY($1)
ORDER BY r.id
LIMIT 1
"""
_START = """
INSERT INTO rollout (
    sha256, municipality_id, stages, tolerated_pct, watch_s, offer_s, state, left_out, started_by, started_at
) VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9)
RETURNING id
"""
_ADD_DEVICES = """
INSERT INTO rollout_device (rollout_id, device_id, position, stage, changed_at)
SELECT $1, d.id, d.position, d.stage, $5
FROM unnest($2::integer[], $3::integer[], $4::integer[]) AS d (id, position, stage)
"""
_ONE_AT_A_TIME = "LOCK TABLE rollout IN SHARE ROW EXCLUSIVE MODE"


async def start(connection: Connection, new: NewRollout, now: Now, *, by: Actor) -> Rollout:
    """Begin to bring an image to devices; nothing is sent before the next look of who carries rollouts out.

    Raises:
        NotFound: there is no such image or municipality.
        Invalid: a number is out of bounds, or no device lacks the image and can fetch it.
        Conflict: another rollout that has not ended reaches one of the devices.
    """
    stages = check_stages(new.stages)
    for field, value, low, high in (
        ("tolerated_pct", new.tolerated_pct, 0, 100),
        ("watch_s", new.watch_s, 0, 30 * 86_400),
        ("offer_s", new.offer_s, 60, 7 * 86_400),
    ):
        if not low <= value <= high:
            raise Invalid(field, f"from {low} to {high}")
    image = await get_image(connection, new.kind, new.version)
    town = None if new.municipality is None else (await get_municipality(connection, new.municipality)).id
    async with connection.transaction():
        await connection.execute(_ONE_AT_A_TIME)
        at = to_datetime(now())
        rows = await connection.fetch(_CANDIDATES, new.kind, town, new.version, at)
        able = [
            RolloutCandidate(id=row["id"], name=row["name"], beside=row["beside"])
            for row in rows
            if row["can_fetch"]
        ]
        ordered = in_order(able, image.sha256)
        if not ordered and rows:
            fix = "`nabd device rotate` gives them one"
            raise Invalid(
                "version", f"none of the {len(rows)} devices meant has a password to fetch it with; {fix}"
            )
        if not ordered:
            raise Invalid("version", f"no device in service is meant that does not have {new.version}")
        ids = [one.id for one in ordered]
        if (busy := await connection.fetchval(_BUSY, ids)) is not None:
            raise Conflict(f"rollout {busy} reaches some of these devices; let it end, or cancel it")
        how = (list(stages), new.tolerated_pct, new.watch_s, new.offer_s)
        left_out = len(rows) - len(ordered)
        number: int = await connection.fetchval(_START, image.sha256, town, *how, left_out, by.principal, at)
        positions = list(range(len(ids)))
        reached_in = [stage_of(position, len(ids), stages) for position in positions]
        await connection.execute(_ADD_DEVICES, number, ids, positions, reached_in, at)
        after = {"kind": new.kind, "version": new.version, "stages": list(stages), "devices": len(ids)}
        after |= {"left_out": left_out} if left_out else {}
        await record_change(connection, number, town, "rollout.start", None, after, now, by)
    return await get_rollout(connection, number)


_LIST = """
SELECT
    r.id, i.kind, i.version, r.sha256, m.name AS municipality, r.stages, r.stage, r.tolerated_pct, r.watch_s,
    r.offer_s, r.state, r.detail, r.left_out, author.name AS started_by, r.started_at, r.settled_at,
    r.ended_at,
    coalesce(of.devices, 0) AS devices, coalesce(of.reached, 0) AS reached,
    coalesce(of.alerted, 0) AS alerted,
    coalesce(of.counts, '{}') AS counts
FROM rollout AS r
INNER JOIN firmware_image AS i ON r.sha256 = i.sha256
INNER JOIN named_principal AS author ON r.started_by = author.id
LEFT JOIN municipality AS m ON r.municipality_id = m.id
LEFT JOIN LATERAL (
    SELECT
        sum(s.number)::integer AS devices, sum(s.reached)::integer AS reached,
        sum(s.alerted)::integer AS alerted, jsonb_object_agg(s.state, s.number) AS counts
    FROM (
        SELECT
            o.state, count(*) AS number, count(*) FILTER (WHERE o.stage <= r.stage) AS reached,
            count(*) FILTER (WHERE o.alerted) AS alerted
        FROM rollout_device AS o
        WHERE o.rollout_id = r.id
        GROUP BY o.state
    ) AS s
) AS of ON true
WHERE
    ($1::bigint IS NULL OR r.id = $1) AND ($2::text[] IS NULL OR m.name IS NULL OR m.name = ANY($2))
    AND ($3::bigint IS NULL OR r.id < $3)
ORDER BY r.id DESC
LIMIT $4
"""


async def list_rollouts(
    connection: Connection,
    *,
    within: Collection[str] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Rollout]:
    """Return a page of rollouts, the newest first; `within`: only of these municipalities, None: all."""
    towns = None if within is None else sorted(within)
    return [_rollout(row) for row in await connection.fetch(_LIST, None, towns, before, limit)]


async def get_rollout(connection: Connection, number: int) -> Rollout:
    """Return one rollout.

    Raises:
        NotFound: none has that number.
    """
    row = await connection.fetchrow(_LIST, number, None, None, 1)
    if row is None:
        raise NotFound("rollout", str(number), "`nabd rollout list` shows them")
    return _rollout(row)


def _rollout(row: asyncpg.Record) -> Rollout:
    return Rollout(**{**dict(row), "stages": tuple(row["stages"]), "state": RolloutState(row["state"])})


_DEVICES = """
SELECT
    d.name AS device, m.name AS municipality, o.position, o.stage, o.state, o.detail, o.alerted, c.firmware,
    o.changed_at
FROM rollout_device AS o
INNER JOIN device AS d ON o.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device_config AS c ON d.id = c.device_id
WHERE
    o.rollout_id = $1 AND o.position > $2 AND ($3::text IS NULL OR o.state = $3)
    AND ($5::text[] IS NULL OR m.name = ANY($5))
ORDER BY o.position
LIMIT $4
"""


async def list_devices(
    connection: Connection,
    number: int,
    *,
    state: str | None = None,
    within: Collection[str] | None = None,
    after: int = -1,
    limit: int = 100,
) -> list[RolloutDevice]:
    """Return a page of the devices of a rollout in the order in which they are reached."""
    towns = None if within is None else sorted(within)
    rows = await connection.fetch(_DEVICES, number, after, state, limit, towns)
    return [RolloutDevice(**row) for row in rows]


async def record_change(
    connection: Connection,
    number: int,
    town: int | None,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    now: Now,
    by: Actor,
) -> None:
    """Record a change of a rollout in the audit; `town`: the number of its municipality."""
    await audit.record(
        connection,
        by=by,
        municipality=town,
        action=action,
        subject=str(number),
        before=before,
        after=after,
        now=now(),
    )
