"""Rollouts as people pause, resume and cancel them; what had not left for its device is taken back.

What had left and was not begun finds no image any more; see downloads.
"""

from __future__ import annotations

from devices.commands.queue import withdraw
from devices.firmware.hearing import hear
from devices.firmware.rollout import RolloutState
from devices.firmware.rollouts import Rollout, get_rollout, record_change
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict
from store.audit import Actor
from store.connection import Connection

_STEER = """
UPDATE rollout SET
    state = $2, detail = $4, ended_at = CASE WHEN $2 = 'cancelled' THEN $5::timestamptz END,
    settled_at = NULL
WHERE id = $1 AND state = ANY($3)
RETURNING municipality_id
"""
_BACK = """
UPDATE rollout_device SET
    state = 'waiting', command_id = NULL, offered_at = NULL, detail = NULL, changed_at = $3
WHERE rollout_id = $1 AND command_id = ANY($2)
"""
_OFFERED = "SELECT command_id FROM rollout_device WHERE rollout_id = $1 AND state = 'offered'"
# Who resumes what had stopped has seen to what failed: those devices are tried again.
_AGAIN = """
UPDATE rollout_device SET
    state = CASE WHEN state IN ('failed', 'rolled-back') THEN 'waiting' ELSE state END,
    detail = NULL, alerted = false, offered_at = $2, changed_at = $2
WHERE rollout_id = $1 AND (state IN ('failed', 'rolled-back') OR alerted)
"""
_MAY_FOLLOW = {
    RolloutState.PAUSED: (RolloutState.RUNNING,),
    RolloutState.RUNNING: (RolloutState.PAUSED, RolloutState.STOPPED),
    RolloutState.CANCELLED: (RolloutState.RUNNING, RolloutState.PAUSED, RolloutState.STOPPED),
}
_VERBS = {
    RolloutState.PAUSED: "rollout.pause",
    RolloutState.RUNNING: "rollout.resume",
    RolloutState.CANCELLED: "rollout.cancel",
}


async def steer(connection: Connection, number: int, state: RolloutState, now: Now, *, by: Actor) -> Rollout:
    """Pause, resume or cancel a rollout; devices that have begun end what they do.

    Raises:
        NotFound: none has that number.
        Conflict: its state does not allow it.
    """
    found = await get_rollout(connection, number)
    async with connection.transaction():
        await hear(connection, number, now)
        allowed = [str(one) for one in _MAY_FOLLOW[state]]
        row = await connection.fetchrow(_STEER, number, state, allowed, None, to_datetime(now()))
        if row is None:
            raise Conflict(f"rollout {number} is {found.state}: it cannot be {_said(state)}")
        if state is not RolloutState.RUNNING:
            await take_back(connection, number, now)
        elif found.state is RolloutState.STOPPED:
            await connection.execute(_AGAIN, number, to_datetime(now()))
        before, after = {"state": found.state}, {"state": state}
        await record_change(connection, number, row["municipality_id"], _VERBS[state], before, after, now, by)
    return await get_rollout(connection, number)


async def take_back(connection: Connection, number: int, now: Now) -> None:
    """Withdraw what was offered and has not left for its device; those devices wait again."""
    offered = [row["command_id"] for row in await connection.fetch(_OFFERED, number)]
    withdrawn = await withdraw(connection, offered, now)
    await connection.execute(_BACK, number, withdrawn, to_datetime(now()))


def _said(state: RolloutState) -> str:
    return "resumed" if state is RolloutState.RUNNING else str(state)
