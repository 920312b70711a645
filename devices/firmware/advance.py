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
from devices.commands.queue import enqueue, refusing
from devices.firmware.hearing import hear
from devices.firmware.rollout import RolloutState, RolloutStep, StageCounts, next_step
from devices.firmware.rollouts import Rollout, get_rollout
from devices.firmware.steering import take_back
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict
from devices.registry.registry import Device
from store import audit
from store.audit import PLATFORM
from store.connection import Connection

COMMAND = "update_firmware"
PATH = "/firmware/{sha256}"
AT_ONCE = 200
"""To how many devices the image is offered in one look."""

Alarming = Callable[[Connection, Mapping[int, datetime]], Awaitable[set[int]]]
"""Returns those devices that have raised an alert since the instant beside each."""

# Of a cancelled one those are still heard that had been offered the image.
_OPEN = """
SELECT r.id
FROM rollout AS r
WHERE
    r.state IN ('running', 'paused', 'stopped')
    OR (
        r.state = 'cancelled' AND EXISTS (
            SELECT FROM rollout_device AS o
            WHERE o.rollout_id = r.id AND o.state IN ('offered', 'downloading')
        )
    )
ORDER BY r.id
"""
_LOCK = "SELECT id FROM rollout WHERE id = $1 FOR UPDATE SKIP LOCKED"


async def advance(
    connection: Connection, now: Now, *, alarming: Alarming, new_id: Callable[[], UUID], base: str
) -> int:
    """Look once at every rollout that has not ended, or whose devices have not; return how many there are.

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
    await hear(connection, number, now)
    found = await get_rollout(connection, number)
    if found.state is not RolloutState.RUNNING:
        return
    await _hear_alerts(connection, number, alarming)
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


# One that still installs what a cancelled rollout brought it waits until it has ended that.
_WAITING = """
SELECT d.id, d.name, d.kind, m.name AS municipality, d.municipality_id, d.retired_at
FROM rollout_device AS o
INNER JOIN device AS d ON o.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE
    o.rollout_id = $1 AND o.stage <= $2 AND o.state = 'waiting'
    AND NOT EXISTS (
        SELECT FROM rollout_device AS other
        WHERE other.device_id = o.device_id AND other.rollout_id <> $1 AND other.state = 'downloading'
    )
ORDER BY o.position
LIMIT $3
"""
_IMAGE = "SELECT size, signature FROM firmware_image WHERE sha256 = $1"
_OFFER = """
UPDATE rollout_device AS o SET
    state = 'offered', command_id = c.id, offered_at = $4, changed_at = $4, detail = NULL
FROM unnest($2::integer[], $3::uuid[]) AS c (device_id, id)
WHERE o.rollout_id = $1 AND o.device_id = c.device_id
"""
_FAILED = """
UPDATE rollout_device SET state = 'failed', command_id = NULL, offered_at = $3, changed_at = $3, detail = $4
WHERE rollout_id = $1 AND device_id = $2
"""


async def _offer(
    connection: Connection, found: Rollout, now: Now, new_id: Callable[[], UUID], base: str
) -> None:
    rows = await connection.fetch(_WAITING, found.id, found.stage, AT_ONCE)
    waiting = [Device(**row) for row in rows]
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
    at, expires_at = to_datetime(now()), now() + found.offer_s * 1_000_000
    commands = [
        NewCommand(id=new_id(), device=device, name=COMMAND, args=args, expires_at=expires_at)
        for device in waiting
        if device.retired_at is None
    ]
    refused: dict[int, Conflict] = await refusing(connection, commands, now)
    for device in waiting:
        why = "it was retired" if device.retired_at is not None else refused.get(device.id)
        if why is not None:
            await connection.execute(_FAILED, found.id, device.id, at, str(why))
    commands = [one for one in commands if one.device.id not in refused]
    if commands and await _sent(connection, commands, now):
        ids = [one.id for one in commands]
        await connection.execute(_OFFER, found.id, [one.device.id for one in commands], ids, at)


async def _sent(connection: Connection, commands: Sequence[NewCommand], now: Now) -> bool:
    try:
        async with connection.transaction():
            await enqueue(connection, commands, now, by=PLATFORM)
    except Conflict:  # somebody told one of them something at this moment: with the next look
        return False
    return True


def _since_s(instant: datetime | None, now: Now) -> float | None:
    return None if instant is None else (to_datetime(now()) - instant).total_seconds()
