"""Whether the ingest of every shard that owns something lives, and has its session for itself."""

from __future__ import annotations

import asyncpg

from devices.instants import to_microseconds
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from store.connection import Connection

TAKEN_OVER_S = 86_400.0
"""For how long, in seconds, doctor finds fault with a session that was taken over."""

_SHARDS = """
SELECT
    name, alive_at, caught_up_at, client_id, takeovers, taken_over_at,
    ARRAY(
        SELECT m.name FROM municipality AS m
        WHERE m.shard = shard.name AND m.leaving IS NOT NULL
        ORDER BY m.name
    ) AS arriving
FROM shard
WHERE name IN (SELECT shard FROM municipality) OR (name = $1 AND NOT EXISTS (SELECT FROM municipality))
ORDER BY name
"""
_EXISTS = "SELECT EXISTS (SELECT FROM shard WHERE name = $1)"


async def check_ingest(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which ingest does not run, waits for a municipality, or has not caught up: the worst."""
    rows = await connection.fetch(_SHARDS, settings.shard)
    if not await connection.fetchval(_EXISTS, settings.shard):
        fix = f"make it by `nabd shard add {settings.shard}`, or set NABD_SHARD to one of `nabd shard list`"
        return bad("ingest", f"no shard {settings.shard!r}", fix)
    for row in rows:
        if row["arriving"]:
            name, towns = row["name"], " ".join(row["arriving"])
            fix = f"say again `nabd shard divide {towns} --to {name}`"
            return bad("ingest", f"shard {name} waits: {towns} is still on its way to it", fix)
    now, speed = clock.parse(settings.clock)
    for row in rows:
        alive_at, whose = row["alive_at"], _whose(row, len(rows))
        silent = None if alive_at is None else (now() - to_microseconds(alive_at)) / 1e6 / speed
        if silent is None or silent > ALIVE_S:
            said = "has never run" if silent is None else f"has been silent for {silent:.0f} s"
            of_shard = "" if len(rows) == 1 else f" with NABD_SHARD={row['name']}"
            return bad("ingest", f"{whose}{said}", f"start `nabd ingest`{of_shard}, read its log")
    behind = [row for row in rows if row["caught_up_at"] is None]
    if behind:
        return note("ingest", f"{_whose(behind[0], len(rows))}is catching up with what the broker holds")
    of_all = "" if len(rows) == 1 else f" in all {len(rows)} shards"
    return fine("ingest", f"is alive and has caught up{of_all}")


async def check_session(connection: Connection, settings: Settings) -> CheckResult:
    """Tell of the session that another client took last."""
    now, speed = clock.parse(settings.clock)
    rows = await connection.fetch(_SHARDS, settings.shard)
    taken = [row for row in rows if row["taken_over_at"] is not None]
    if not taken:
        return fine("session", "nobody has taken it from ingest")
    row = max(taken, key=lambda one: to_microseconds(one["taken_over_at"]))
    ago_s = (now() - to_microseconds(row["taken_over_at"])) / 1e6 / speed
    said = f"another client took {row['client_id']} from ingest {row['takeovers']:,} times,"
    said += f" last {ago_s / 3600:.1f} h ago"
    if ago_s > TAKEN_OVER_S:
        return fine("session", said)
    fix = "give ~ingest another password and this installation another client id: docs/operations.md"
    return bad("session", said, fix)


def _whose(row: asyncpg.Record, shards: int) -> str:
    return "" if shards == 1 else f"shard {row['name']} "
