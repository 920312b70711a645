"""What is wrong with the database, and with what processes have written in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devices import kinds
from devices.instants import to_microseconds
from devices.kinds.kind import KindError
from nabd import clock
from nabd.doctor.blind import check_blind
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.doctor.clocks import check_time_zones
from nabd.doctor.limits import check_quotas
from nabd.doctor.notifier import check_notifier
from nabd.doctor.registry import check_places, check_planned
from nabd.doctor.retention import check_retention
from nabd.doctor.rollups import check_rollups
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from readings import ledger
from readings.tables import tables_of
from store.connection import Connection
from store.errors import StoreError
from store.migrate import require_migrated

TAKEN_OVER_S = 86_400.0
"""For how long, in seconds, doctor finds fault with a session that was taken over."""


async def check(connection: Connection, settings: Settings) -> list[CheckResult]:
    """Check what is in the database, once its schema is ours."""
    server = await connection.fetchval("SHOW server_version")
    try:
        declared = kinds.load(settings.kinds_dir)
        edition = await require_migrated(connection, tables_of(declared.values()))
    except (StoreError, KindError, OSError) as error:
        return [bad("schema", str(error), "run `nabd migrate`")]
    checks: tuple[Callable[[Connection, Settings], Awaitable[CheckResult]], ...] = (
        _durability,
        _ingest,
        _session,
        check_notifier,
        _ledger,
        check_quotas,
        _rules,
        check_blind,
        check_places,
        check_planned,
        check_time_zones,
        check_retention,
        check_rollups,
    )
    found = [fine("database", f"PostgreSQL {server}, {edition} edition")]
    return found + [await one(connection, settings) for one in checks]


async def _durability(connection: Connection, _: Settings) -> CheckResult:
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if not off:
        return fine("durability", "a commit survives a crash")
    fix = "turn it on: acknowledged is to mean committed"
    return bad("durability", f"{', '.join(off)} is off", fix)


async def _ingest(connection: Connection, settings: Settings) -> CheckResult:
    now, speed = clock.parse(settings.clock)
    row = await connection.fetchrow(
        "SELECT alive_at, caught_up_at FROM shard WHERE name = $1", settings.shard
    )
    if row is None:
        fix = "set NABD_SHARD to one that `nabd migrate` made"
        return bad("ingest", f"no shard {settings.shard!r}", fix)
    silent = None if row["alive_at"] is None else (now() - to_microseconds(row["alive_at"])) / 1e6 / speed
    if silent is None or silent > ALIVE_S:
        said = "has never run" if silent is None else f"has been silent for {silent:.0f} s"
        return bad("ingest", said, "start `nabd ingest`, read its log")
    if row["caught_up_at"] is None:
        return note("ingest", "is catching up with what the broker holds")
    return fine("ingest", "is alive and has caught up")


async def _session(connection: Connection, settings: Settings) -> CheckResult:
    now, speed = clock.parse(settings.clock)
    row = await connection.fetchrow(
        "SELECT client_id, takeovers, taken_over_at FROM shard WHERE name = $1", settings.shard
    )
    if row is None or row["taken_over_at"] is None:
        return fine("session", "nobody has taken it from ingest")
    ago_s = (now() - to_microseconds(row["taken_over_at"])) / 1e6 / speed
    said = f"another client took {row['client_id']} from ingest {row['takeovers']:,} times,"
    said += f" last {ago_s / 3600:.1f} h ago"
    if ago_s > TAKEN_OVER_S:
        return fine("session", said)
    fix = "give ~ingest another password and this installation another client id: docs/operations.md"
    return bad("session", said, fix)


async def _ledger(connection: Connection, _: Settings) -> CheckResult:
    totals = await ledger.total(connection)
    said = f"{totals.received} received = {totals.stored} stored + {totals.duplicate} duplicate"
    said += f" + {totals.rejected} rejected"
    if totals.balanced:
        return fine("ledger", said)
    fix = "this should be impossible: keep the database as it is and report it"
    return bad("ledger", said, fix)


async def _rules(connection: Connection, _: Settings) -> CheckResult:
    rows = await connection.fetch("SELECT id, broken_reason FROM rule WHERE active ORDER BY id")
    broken = [f"{row['id']} ({row['broken_reason']})" for row in rows if row["broken_reason"]]
    if broken:
        fix = "correct the rule and apply it: `nabd rule apply FILE`"
        return bad("rules", f"broken: {'; '.join(broken)}", fix)
    if not rows:
        return note("rules", "there are none", "`nabd migrate` brings the defaults")
    return fine("rules", f"{len(rows)} active")
