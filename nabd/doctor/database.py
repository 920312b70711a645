"""What is wrong with the database, and with what processes have written in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from devices import kinds
from devices.kinds.kind import KindError
from devices.texts.translated import say
from nabd.doctor.account import refusal
from nabd.doctor.backups import check_backups
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.doctor.clocks import check_time_zones
from nabd.doctor.extension import check_extension
from nabd.doctor.identity.sign_ins import check_sign_ins
from nabd.doctor.machine import check_clock
from nabd.doctor.registry import check_places, check_planned
from nabd.doctor.running.annotations import check_annotations
from nabd.doctor.running.blind import check_blind
from nabd.doctor.running.codecs import check_codecs
from nabd.doctor.running.configured import check_configured
from nabd.doctor.running.ingest import check_ingest, check_session
from nabd.doctor.running.limits import check_quotas
from nabd.doctor.running.notifier import check_notifier
from nabd.doctor.running.replica import check_replica
from nabd.doctor.running.retention import check_retention
from nabd.doctor.running.rollups import check_rollups
from nabd.doctor.running.sources import check_partly_read, check_sources
from nabd.settings import Settings
from readings import ledger
from readings.tables import tables_of
from store.connection import Connection
from store.errors import MigrationError, StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import require_migrated


async def check(connection: Connection, settings: Settings) -> list[CheckResult]:
    """Check what is in the database, once its schema is ours."""
    server = await connection.fetchval("SHOW server_version")
    try:
        declared = kinds.load(settings.kinds_dir)
        edition = await require_migrated(connection, tables_of(declared.values()))
    except MigrationError as error:
        return [bad("schema", say("check.schema_newer", error=str(error)), say("check.start_newer"))]
    except (StoreError, KindError, OSError) as error:
        return [bad("schema", say("check.schema_older", error=str(error)), say("check.migrate"))]
    checks: tuple[tuple[str, Callable[[Connection, Settings], Awaitable[CheckResult]]], ...] = (
        ("clock", check_clock),
        ("durability", _durability),
        ("ingest", check_ingest),
        ("session", check_session),
        ("TimescaleDB", check_extension),
        ("notify", check_notifier),
        ("sources", check_sources),
        ("partly read", check_partly_read),
        ("codecs", check_codecs),
        ("ledger", _ledger),
        ("quotas", check_quotas),
        ("rules", _rules),
        ("blind rules", check_blind),
        ("configuration", check_configured),
        ("places", check_places),
        ("planned", check_planned),
        ("time zones", check_time_zones),
        ("retention", check_retention),
        ("rollups", check_rollups),
        ("annotations", check_annotations),
        ("replica", check_replica),
        ("backup", check_backups),
        ("sign ins", check_sign_ins),
    )
    found = [fine("database", say("check.database_answers", server=server, edition=str(edition)))]
    for subject, check_one in checks:
        try:
            found.append(await check_one(connection, settings))
        except DATABASE_ERRORS as error:
            if connection.is_closed():
                away = say("check.database_went", error=str(error))
                return [*found, bad("database", away, say("check.read_server_log"))]
            found.append(_unknown(subject, error, settings))
    return found


def _unknown(subject: str, error: BaseException, settings: Settings) -> CheckResult:
    """Return what stopped one check; it says nothing of the others."""
    assert settings.database is not None
    unseen = say("check.unseen", error=str(error) or type(error).__name__)
    unknown = bad(subject, unseen, say("check.read_server_log"))
    return refusal(settings.database, error) or unknown


async def _durability(connection: Connection, _: Settings) -> CheckResult:
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if not off:
        return fine("durability", say("check.durable"))
    set_on = "; ".join(f"ALTER SYSTEM SET {name} = on" for name in off)
    fix = say("check.make_durable", command=f"{set_on}; SELECT pg_reload_conf()")
    return bad("durability", say("check.not_durable", settings=tuple(off)), fix)


async def _ledger(connection: Connection, _: Settings) -> CheckResult:
    totals = await ledger.total(connection)
    counted = say(
        "check.ledger",
        received=totals.received,
        stored=totals.stored,
        merged=totals.merged,
        duplicate=totals.duplicate,
        rejected=totals.rejected,
    )
    return fine("ledger", counted) if totals.balanced else bad("ledger", counted, say("check.report_ledger"))


async def _rules(connection: Connection, _: Settings) -> CheckResult:
    rows = await connection.fetch("SELECT id, broken_reason FROM rule WHERE active ORDER BY id")
    broken = [f"{row['id']} ({row['broken_reason']})" for row in rows if row["broken_reason"]]
    if broken:
        return bad("rules", say("check.rules_broken", rules="; ".join(broken)), say("check.apply_rule"))
    if not rows:
        return note("rules", say("check.rules_none"), say("check.bring_rules"))
    return fine("rules", say("check.rules_active", n=len(rows)))
