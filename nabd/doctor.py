"""The checks of `nabd doctor`: what is wrong with an installation, and what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from importlib.metadata import version
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiomqtt

from api.metrics.platform import BrokerQueue
from devices import kinds
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import KindError
from devices.registry import registry
from devices.registry.placement import misplaced
from devices.storable import storable
from devices.time_zones import TIME_ZONES, zone_named
from nabd import clock
from nabd.broker import address, queue, unread
from nabd.broker.client import client
from nabd.embedded.broker import find_mosquitto
from nabd.readiness import ALIVE_S
from nabd.settings import Settings
from readings import ledger
from readings.tables import tables_of
from rules.catalogue.blind import blind_rules
from store.connection import Connection
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import require_migrated
from store.pool import connect

TAKEN_OVER_S = 86_400.0
"""For how long, in seconds, doctor finds fault with a session that was taken over."""


BLIND_LOOKED_AT = 200
"""Of so many devices of each kind doctor asks whether rules are blind on them."""


class Verdict(StrEnum):
    """How serious the result of a check is; only `bad` makes doctor fail."""

    FINE = "fine"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The result of one check. `fix` says what to do, where there is something to do."""

    subject: str
    verdict: Verdict
    said: str
    fix: str = ""


def fine(subject: str, said: str) -> CheckResult:
    """Return the result of a check that found nothing wrong."""
    return CheckResult(subject=subject, verdict=Verdict.FINE, said=said)


async def examine(settings: Settings) -> list[CheckResult]:
    """Check everything that processes need."""
    findings = [_kinds(settings), _disk(settings), await _broker(settings)]
    if settings.broker is not None and findings[-1].verdict is not Verdict.BAD:
        findings.append(await _topics(settings.broker))
    if settings.database is None:
        findings.append(
            CheckResult(
                subject="database",
                verdict=Verdict.NOTE,
                said="none is named",
                fix="`nabd up` embeds one; to use your own set NABD_DATABASE",
            )
        )
        return findings
    try:
        connection = await connect(settings.database)
    except StoreError as error:
        fix = "start it, or correct NABD_DATABASE"
        return [*findings, CheckResult(subject="database", verdict=Verdict.BAD, said=str(error), fix=fix)]
    try:
        return findings + await _database(connection, settings)
    except DATABASE_ERRORS as error:
        fix = "let the user of NABD_DATABASE own the schema, or read the server's log"
        return [*findings, CheckResult(subject="database", verdict=Verdict.BAD, said=str(error), fix=fix)]
    finally:
        await connection.close()


def _kinds(settings: Settings) -> CheckResult:
    try:
        return fine("kinds", ", ".join(kinds.load(settings.kinds_dir)))
    except KindError as error:
        return CheckResult(subject="kinds", verdict=Verdict.BAD, said=str(error), fix="correct the file")


def _disk(settings: Settings) -> CheckResult:
    wanted = settings.data_dir.absolute()
    existing = next(directory for directory in (wanted, *wanted.parents) if directory.exists())
    free = shutil.disk_usage(existing).free / 1e9
    if free > 1:
        return fine("disk", f"{free:.0f} GB free")
    fix = "make room: a full disk stops every commit, though nothing acknowledged is lost"
    return CheckResult(subject="disk", verdict=Verdict.BAD, said=f"{free:.1f} GB free at {existing}", fix=fix)


async def _broker(settings: Settings) -> CheckResult:
    if settings.broker is None:
        own = (
            "mosquitto"
            if find_mosquitto()
            else "the one in the wheel, which keeps nothing, knows no passwords and speaks MQTT 5 only"
        )
        return CheckResult(
            subject="broker",
            verdict=Verdict.NOTE,
            said=f"none is named; `nabd up` would embed {own}",
            fix="" if find_mosquitto() else "install mosquitto, or set NABD_BROKER",
        )
    try:
        broker = address.parse(settings.broker)
        async with client(broker) as connection:
            return _queue(f"{broker} lets us in", await queue.ask(connection, queue.limits_of(settings)))
    except (ValueError, OSError, aiomqtt.MqttError) as error:
        fix = "start it, or correct NABD_BROKER"
        return CheckResult(subject="broker", verdict=Verdict.BAD, said=str(error), fix=fix)


async def _topics(broker: str) -> CheckResult:
    try:
        async with client(address.parse(broker)) as connection:
            found = await unread.listen(connection)
    except (OSError, aiomqtt.MqttError) as error:
        return CheckResult(subject="topics", verdict=Verdict.NOTE, said=f"nothing could be heard: {error}")
    if not found:
        return fine("topics", f"nothing came within {unread.LISTEN_S:.0f} s that nobody reads")
    some = ", ".join(storable(topic, 100) for topic, _ in found.most_common(5))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return CheckResult(
        subject="topics",
        verdict=Verdict.NOTE,
        said=f"{found.total()} messages on topics that nobody reads: {some}{more}",
        fix="publish on nabd/v1/{municipality}/{kind}/{device}/telemetry, or let a gateway republish there",
    )


def _queue(lets_us_in: str, holds: BrokerQueue | None) -> CheckResult:
    if holds is None:
        fix = "watch its queues with its own tools, or let us read $SYS/broker/#"
        said = f"{lets_us_in}, and does not say how much it holds"
        return CheckResult(subject="broker", verdict=Verdict.NOTE, said=said, fix=fix)
    if holds.is_near_limit:
        fix = "start `nabd ingest`, or make the database faster, or give the broker more room"
        return CheckResult(subject="broker", verdict=Verdict.BAD, said=queue.said(holds), fix=fix)
    said = f"{lets_us_in} and holds {holds.queued:,} messages nobody has fetched"
    if holds.memory is not None:
        said += f", with {holds.memory / 2**20:,.0f} MiB of memory"
    if holds.dropped:
        said += f"; it has dropped {holds.dropped:,} since it started"
        fix = "raise max_queued_messages; devices with receipts send again what was dropped"
        return CheckResult(subject="broker", verdict=Verdict.NOTE, said=said, fix=fix)
    return fine("broker", said)


async def _database(connection: Connection, settings: Settings) -> list[CheckResult]:
    server = await connection.fetchval("SHOW server_version")
    try:
        declared = kinds.load(settings.kinds_dir)
        edition = await require_migrated(connection, tables_of(declared.values()))
    except (StoreError, KindError) as error:
        return [CheckResult(subject="schema", verdict=Verdict.BAD, said=str(error), fix="run `nabd migrate`")]
    checks: tuple[Callable[[Connection, Settings], Awaitable[CheckResult]], ...] = (
        _durability,
        _ingest,
        _session,
        _ledger,
        _rules,
        _places,
        _time_zones,
    )
    found = [fine("database", f"PostgreSQL {server}, {edition} edition")]
    return found + [await check(connection, settings) for check in checks]


async def _durability(connection: Connection, _: Settings) -> CheckResult:
    off = [
        name
        for name in ("fsync", "synchronous_commit", "full_page_writes")
        if await connection.fetchval("SELECT current_setting($1)", name) == "off"
    ]
    if not off:
        return fine("durability", "a commit survives a crash")
    fix = "turn it on: acknowledged is to mean committed"
    return CheckResult(subject="durability", verdict=Verdict.BAD, said=f"{', '.join(off)} is off", fix=fix)


async def _ingest(connection: Connection, settings: Settings) -> CheckResult:
    now, speed = clock.parse(settings.clock)
    row = await connection.fetchrow(
        "SELECT alive_at, caught_up_at FROM shard WHERE name = $1", settings.shard
    )
    if row is None:
        fix = "set NABD_SHARD to one that `nabd migrate` made"
        return CheckResult(
            subject="ingest", verdict=Verdict.BAD, said=f"no shard {settings.shard!r}", fix=fix
        )
    silent = None if row["alive_at"] is None else (now() - to_microseconds(row["alive_at"])) / 1e6 / speed
    if silent is None or silent > ALIVE_S:
        said = "has never run" if silent is None else f"has been silent for {silent:.0f} s"
        return CheckResult(
            subject="ingest", verdict=Verdict.BAD, said=said, fix="start `nabd ingest`, read its log"
        )
    if row["caught_up_at"] is None:
        return CheckResult(
            subject="ingest", verdict=Verdict.NOTE, said="is catching up with what the broker holds"
        )
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
    return CheckResult(subject="session", verdict=Verdict.BAD, said=said, fix=fix)


async def _ledger(connection: Connection, _: Settings) -> CheckResult:
    totals = await ledger.total(connection)
    said = f"{totals.received} received = {totals.stored} stored + {totals.duplicate} duplicate"
    said += f" + {totals.rejected} rejected"
    if totals.balanced:
        return fine("ledger", said)
    fix = "this should be impossible: keep the database as it is and report it"
    return CheckResult(subject="ledger", verdict=Verdict.BAD, said=said, fix=fix)


async def _rules(connection: Connection, _: Settings) -> CheckResult:
    rows = await connection.fetch("SELECT id, broken_reason FROM rule WHERE active ORDER BY id")
    broken = [f"{row['id']} ({row['broken_reason']})" for row in rows if row["broken_reason"]]
    if broken:
        fix = "correct the rule and apply it: `nabd rule apply FILE`"
        return CheckResult(subject="rules", verdict=Verdict.BAD, said=f"broken: {'; '.join(broken)}", fix=fix)
    if not rows:
        return CheckResult(
            subject="rules",
            verdict=Verdict.NOTE,
            said="there are none",
            fix="`nabd migrate` brings the defaults",
        )
    return fine("rules", f"{len(rows)} active")


async def _places(connection: Connection, _: Settings) -> CheckResult:
    wrong = misplaced(await registry.load(connection))
    if not wrong:
        return fine("places", "every device stands in its municipality, as far as both have coordinates")
    said = f"{len(wrong)} devices stand far from their municipality: " + "; ".join(
        f"{name}: {problem.message}" for name, problem in wrong[:3]
    )
    fix = "`nabd device edit NAME --lat … --lon …`, or `nabd device import FILE --update` for a list"
    return CheckResult(subject="places", verdict=Verdict.NOTE, said=said, fix=fix)


_OFFSETS = """
SELECT asked.zone, asked.instant, round(extract(epoch FROM
    (asked.instant AT TIME ZONE asked.zone) - (asked.instant AT TIME ZONE 'UTC')))::integer AS offset_s
FROM unnest($1::text [], $2::timestamptz []) AS asked (zone, instant)
INNER JOIN pg_timezone_names AS known ON known.name = asked.zone
"""


async def _time_zones(connection: Connection, settings: Settings) -> CheckResult:
    """Compare the clocks of the municipalities: ours, the database's and the machine's, a year ahead."""
    rows = await connection.fetch("SELECT DISTINCT time_zone FROM municipality ORDER BY 1")
    zones = [row["time_zone"] for row in rows]
    unknown = [name for name in zones if name not in TIME_ZONES]
    now = to_datetime(clock.parse(settings.clock)[0]())
    asked = [(z, now + timedelta(days=7 * week)) for z in zones if z in TIME_ZONES for week in range(53)]
    theirs = {
        (row["zone"], row["instant"]): row["offset_s"]
        for row in await connection.fetch(_OFFSETS, [z for z, _ in asked], [at for _, at in asked])
    }
    wrong = [f"{name} is no time zone" for name in unknown]
    for whose, offset_s in (("database", theirs.get), ("machine", _machine_offset_s)):
        differing = sorted({z for z, at in asked if offset_s((z, at)) != _offset_s(zone_named(z), at)})
        wrong += [f"the {whose} has another clock for {name}" for name in differing]
    if not wrong:
        said = f"{', '.join(zones) or 'none'}: the same clocks everywhere for a year"
        return fine("time zones", f"{said} (tzdata {version('tzdata')})")
    fix = (
        "rules and buckets follow Nabd's own data; for other readers bring the zone data up to date"
        " (`apt-get install tzdata`), and correct names by `nabd municipality edit NAME --time-zone`"
    )
    return CheckResult(subject="time zones", verdict=Verdict.NOTE, said="; ".join(wrong), fix=fix)


def _offset_s(zone: tzinfo, at: datetime) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _machine_offset_s(asked: tuple[str, datetime]) -> int | None:
    try:
        return _offset_s(ZoneInfo(asked[0]), asked[1])
    except ZoneInfoNotFoundError:
        return None


async def _blind(connection: Connection, settings: Settings) -> CheckResult:
    now, _ = clock.parse(settings.clock)
    found = await blind_rules(connection, kinds.load(settings.kinds_dir), now(), limit=BLIND_LOOKED_AT)
    if not found:
        return fine("blind rules", "every rule can be decided where we looked")
    devices: dict[str, list[str]] = {}
    for one in found:
        devices.setdefault(f"{one.rule} (lacks {', '.join(one.missing)})", []).append(one.device)
    said = "; ".join(f"{rule} on {names[0]}{_others(names)}" for rule, names in devices.items())
    fix = "`nabd rule blind` lists them; mend the sensor, or let the rule say known(x, otherwise)"
    return CheckResult(subject="blind rules", verdict=Verdict.NOTE, said=said, fix=fix)


def _others(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
