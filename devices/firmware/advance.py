"""What rollouts do by themselves: hear of their devices, offer the image to more of them, stop, end.

One look at one rollout is one transaction; whoever comes second leaves it to the first. Whether devices raise
alerts is told by an argument. Must not know HTTP, MQTT or alerts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from devices.commands.new_command import NewCommand
from devices.commands.queue import enqueue
from devices.firmware.rollout import RolloutState, RolloutStep, StageCounts, next_step
from devices.firmware.rollouts import Rollout, get_rollout
from devices.firmware.steering import take_back
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict
from devices.registry.registry import Device, load
from store import audit
from store.audit import PLATFORM
from store.connection import Connection

COMMAND = "update_firmware"
PATH = "/firmware/{sha256}"
AT_ONCE = 200
"""To how many devices the image is offered in one look."""

Alarming = Callable[[Connection, Mapping[int, datetime]], Awaitable[set[int]]]
"""Returns those devices that have raised an alert since the instant beside each."""

_OPEN = "SELECT id FROM rollout WHERE state IN ('running', 'paused', 'stopped') ORDER BY id"
_LOCK = "SELECT id FROM rollout WHERE id = $1 FOR UPDATE SKIP LOCKED"


async def advance(
    connection: Connection, now: Now, *, alarming: Alarming, new_id: Callable[[], UUID], base: str
) -> int:
    """Look at every rollout that has not ended once; return how many there are.

    Args:
        new_id: a random id of a command.
        base: the address of the platform for devices; empty: they know it.
    """
    numbers = [row["id"] for row in await connection.fetch(_OPEN)]
    for number in numbers:
        async with connection.transaction():
            if await connection.fetchval(_LOCK, number) is not None:
                await _look(connection, number, now, alarming=alarming, new_id=new_id, base=base)
    return len(numbers)


async def _look(
    connection: Connection,
    number: int,
    now: Now,
    *,
    alarming: Alarming,
    new_id: Callable[[], UUID],
    base: str,
) -> None:
    await _hear(connection, number, now)
    await _hear_alerts(connection, number, alarming)
    found = await get_rollout(connection, number)
    if found.state is not RolloutState.RUNNING:
        return
    counts = await _counts(connection, found)
    step = next_step(
        counts,
        tolerated_pct=found.tolerated_pct,
        settled_for_s=_since_s(found.settled_at, now),
        watch_s=found.watch_s,
        last=found.stage == len(found.stages) - 1,
    )
    match step:
        case RolloutStep.STOP:
            said = f"{counts.harmed} of {counts.reached} devices failed, rolled back or raised an alert"
            await _end(connection, found, RolloutState.STOPPED, said, now)
            await take_back(connection, number, now)
        case RolloutStep.SETTLE:
            await connection.execute(_SETTLED, number, to_datetime(now()))
        case RolloutStep.FOLLOWING:
            await connection.execute(_FOLLOWING, number)
        case RolloutStep.END:
            await _end(connection, found, RolloutState.DONE, None, now)
        case RolloutStep.WAIT:
            await _offer(connection, found, now, new_id, base)


_SETTLED = "UPDATE rollout SET settled_at = $2 WHERE id = $1"
_FOLLOWING = "UPDATE rollout SET stage = stage + 1, settled_at = NULL WHERE id = $1"

# What a device says of its command is what it says of the image.
_HEAR = """
UPDATE rollout_device AS o SET
    state = CASE
        WHEN c.status = 'succeeded' THEN 'updated'
        WHEN c.status = 'running' THEN 'downloading'
        WHEN c.status = 'failed' AND c.result @> '{"rolled_back": true}' THEN 'rolled-back'
        ELSE 'failed'
    END,
    detail = coalesce(c.detail, CASE WHEN c.status = 'expired' THEN 'it did not answer in time' END),
    changed_at = $2
FROM command AS c
WHERE
    o.rollout_id = $1 AND o.command_id = c.id AND o.state IN ('offered', 'downloading')
    AND c.status IN ('running', 'succeeded', 'failed', 'rejected', 'expired')
    AND NOT (o.state = 'downloading' AND c.status = 'running' AND o.detail IS NOT DISTINCT FROM c.detail)
"""


async def _hear(connection: Connection, number: int, now: Now) -> None:
    await connection.execute(_HEAR, number, to_datetime(now()))


_WATCHED = """
SELECT device_id, offered_at FROM rollout_device
WHERE rollout_id = $1 AND offered_at IS NOT NULL AND NOT alerted
"""
_ALERTED = "UPDATE rollout_device SET alerted = true WHERE rollout_id = $1 AND device_id = ANY($2)"


async def _hear_alerts(connection: Connection, number: int, alarming: Alarming) -> None:
    watched = {row["device_id"]: row["offered_at"] for row in await connection.fetch(_WATCHED, number)}
    found = await alarming(connection, watched) if watched else set()
    if found:
        await connection.execute(_ALERTED, number, list(found))


_COUNTS = """
SELECT
    count(*) AS reached,
    count(*) FILTER (WHERE o.state IN ('updated', 'failed', 'rolled-back')) AS ended,
    count(*) FILTER (WHERE o.alerted OR o.state IN ('failed', 'rolled-back')) AS harmed
FROM rollout_device AS o
WHERE o.rollout_id = $1 AND o.stage <= $2
"""


async def _counts(connection: Connection, found: Rollout) -> StageCounts:
    row = await connection.fetchrow(_COUNTS, found.id, found.stage)
    assert row is not None, "counts are one row"
    return StageCounts(**row)


_END = """
UPDATE rollout SET state = $2, detail = $3, ended_at = CASE WHEN $2 = 'done' THEN $4::timestamptz END
WHERE id = $1
RETURNING municipality_id
"""


async def _end(
    connection: Connection, found: Rollout, state: RolloutState, detail: str | None, now: Now
) -> None:
    town = await connection.fetchval(_END, found.id, state, detail, to_datetime(now()))
    await audit.record(
        connection,
        by=PLATFORM,
        municipality=town,
        action="rollout.stop" if state is RolloutState.STOPPED else "rollout.end",
        subject=str(found.id),
        before={"state": found.state},
        after={"state": state, "detail": detail},
        now=now(),
    )


_WAITING = """
SELECT device_id FROM rollout_device
WHERE rollout_id = $1 AND stage <= $2 AND state = 'waiting'
ORDER BY position
LIMIT $3
"""
_IMAGE = "SELECT size, signature FROM firmware_image WHERE sha256 = $1"
_OFFER = """
UPDATE rollout_device SET state = $3, command_id = $4, offered_at = $5, changed_at = $5, detail = $6
WHERE rollout_id = $1 AND device_id = $2
"""


async def _offer(
    connection: Connection, found: Rollout, now: Now, new_id: Callable[[], UUID], base: str
) -> None:
    waiting = [r["device_id"] for r in await connection.fetch(_WAITING, found.id, found.stage, AT_ONCE)]
    if not waiting:
        return
    image = await connection.fetchrow(_IMAGE, found.sha256)
    assert image is not None, "an image that a rollout names"
    args: dict[str, Any] = {
        "version": found.version,
        "sha256": found.sha256,
        "size": image["size"],
        "signature": image["signature"],
        "url": base.rstrip("/") + PATH.format(sha256=found.sha256),
    }
    devices = (await load(connection)).devices
    await _tell(connection, found, [devices[one] for one in waiting], args, now, new_id)


async def _tell(
    connection: Connection,
    found: Rollout,
    devices: Sequence[Device],
    args: Mapping[str, Any],
    now: Now,
    new_id: Callable[[], UUID],
) -> None:
    at, expires_at = to_datetime(now()), now() + found.offer_s * 1_000_000
    for device in devices:
        command = NewCommand(id=new_id(), device=device, name=COMMAND, args=args, expires_at=expires_at)
        row: tuple[Any, ...] = ("offered", command.id, at, None)
        if device.retired_at is not None:
            row = ("failed", None, at, "it was retired")
        else:
            try:
                async with connection.transaction():
                    await enqueue(connection, [command], now, by=PLATFORM)
            except Conflict as error:
                row = ("failed", None, at, str(error))
        await connection.execute(_OFFER, found.id, device.id, *row)


def _since_s(instant: datetime | None, now: Now) -> float | None:
    return None if instant is None else (to_datetime(now()) - instant).total_seconds()
