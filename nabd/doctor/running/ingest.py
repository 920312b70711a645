"""Whether the ingest of every shard that owns something lives, and has its session for itself."""

from __future__ import annotations

import asyncpg

from devices.instants import to_microseconds
from devices.texts.translated import TranslatedText, say
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
        unknown = say("check.shard_unknown", shard=settings.shard)
        return bad("ingest", unknown, say("check.add_shard", shard=settings.shard))
    for row in rows:
        if row["arriving"]:
            moved = say("check.shard_waits", shard=row["name"], municipalities=tuple(row["arriving"]))
            command = f"nabd shard divide {' '.join(row['arriving'])} --to {row['name']}"
            return bad("ingest", moved, say("check.divide_again", command=command))
    now, speed = clock.parse(settings.clock)
    for row in rows:
        fix = say("check.start_ingest")
        if len(rows) > 1:
            fix = say("check.start_ingest_of", shard=row["name"])
        if row["alive_at"] is None:
            return bad("ingest", _of_shard(say("check.ingest_never"), row, len(rows)), fix)
        silent_s = (now() - to_microseconds(row["alive_at"])) / 1e6 / speed
        if silent_s > ALIVE_S:
            silent = say("check.ingest_silent", seconds=round(silent_s))
            return bad("ingest", _of_shard(silent, row, len(rows)), fix)
    behind = [row for row in rows if row["caught_up_at"] is None]
    if behind:
        return note("ingest", _of_shard(say("check.ingest_behind"), behind[0], len(rows)))
    if len(rows) > 1:
        return fine("ingest", say("check.ingests_alive", n=len(rows)))
    return fine("ingest", say("check.ingest_alive"))


async def check_session(connection: Connection, settings: Settings) -> CheckResult:
    """Tell of the session that another client took last."""
    now, speed = clock.parse(settings.clock)
    rows = await connection.fetch(_SHARDS, settings.shard)
    taken = [row for row in rows if row["taken_over_at"] is not None]
    if not taken:
        return fine("session", say("check.session_own"))
    row = max(taken, key=lambda one: to_microseconds(one["taken_over_at"]))
    ago_s = (now() - to_microseconds(row["taken_over_at"])) / 1e6 / speed
    hours = round(ago_s / 3600, 1)
    lost = say("check.session_taken", client=row["client_id"], n=row["takeovers"], hours=hours)
    if ago_s > TAKEN_OVER_S:
        return fine("session", lost)
    return bad("session", lost, say("check.change_password"))


def _of_shard(found: TranslatedText, row: asyncpg.Record, shards: int) -> TranslatedText:
    return found if shards == 1 else say("check.of_shard", shard=row["name"], found=found)
