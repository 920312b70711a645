"""A year of everything that grows on a clock of its own: sizes stay bounded, what was counted stays."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from devices.instants import to_microseconds
from devices.registry.registry import Device
from nabd.retention import keeping
from nabd.retention.classes import RetentionClass, classes_of
from nabd.settings import Settings
from people.audit import chains
from readings import ledger, rejections, totals
from readings.ledger import BatchCounts
from readings.rejections import NewRejection
from readings.stored.expiry import _DUE, _FORGET
from store import audit
from store.audit import PLATFORM
from store.expiry import ExpiringRows
from tests.integration.api import builders
from work.figures.facts import FigureGroup
from work.figures.reading import FiguresQuery, read_figures
from work.figures.span import PeriodKind

DAYS = 400
DAY = timedelta(days=1)
START = datetime.combine((datetime.now(UTC) - (DAYS + 40) * DAY).date(), time(6), UTC)
BATCHES, REJECTED = 3, 4
"""A day."""
KEPT = Settings(
    retention_days=31,
    keep_rejections_days=30,
    keep_ledger_days=31,
    keep_commands_days=30,
    keep_notifications_days=31,
    keep_alerts_days=90,
    keep_audit_days=62,
)


def classes(photo_dir: Path) -> list[RetentionClass]:
    return classes_of(KEPT.model_copy(update={"photo_dir": photo_dir}))


async def test_a_year_leaves_bounded_tables_and_every_total(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    device = await builders.add(connection, "bin-1", installed_at=START)
    found = classes(tmp_path / "photos")
    largest: Counter[str] = Counter()
    removed: Counter[str] = Counter()
    for day in range(DAYS):
        noon = START + day * DAY
        await live(connection, device, day, noon)
        await totals.add_up(connection)
        await chains.keep_heads(connection, tmp_path / "heads", to_microseconds(noon))
        # One turn each day: at 2 rows a statement several are needed, which is what a large city sees.
        removed += await enforce(connection, found, noon, piece=2)
        if day % 10 == 0 or day > DAYS - 5:
            for name in await tables(connection, found):
                largest[name] = max(
                    largest[name],
                    await connection.fetchval(f"SELECT count(*) FROM {name}"),
                )

    assert largest["rejection"] <= 32 * REJECTED
    assert largest["ledger"] <= 33 * BATCHES
    assert largest["ledger_device"] <= 33 * BATCHES * 2
    assert largest["command"] <= 32
    assert (largest["delivery"], largest["delivery_attempt"]) <= (33, 33)
    assert (largest["alert"], largest["transition"]) <= (92, 92 * 2)
    assert largest["audit"] <= 62 + 62
    assert {name for name, rows in removed.items() if rows} >= {
        "rejections", "ledger", "commands", "notifications", "ended alerts", "audit",
    }  # fmt: skip
    await check_totals(connection, noon)
    kept = chains.read_heads(tmp_path / "heads")
    verified = await chains.verify(connection, kept)
    assert (verified.problems, verified.heads >= 12) == ([], True)


async def live(connection: asyncpg.Connection, device: Device, day: int, noon: datetime) -> None:
    """Let a day pass: batches, rejections, an alert that ends, a message about it, a command, a change."""
    at = to_microseconds(noon)
    for number in range(day * BATCHES + 1, (day + 1) * BATCHES + 1):
        counts = BatchCounts(
            shard="main", batch=number, source="mqtt", received_at=at, oldest_observed_at=None,
            messages=7, received=10, stored=5, duplicate=2, rejected=3, undated=1,
            by_device={("bin-1", "duplicate"): 2, ("bin-1", f"reason-{day % 2}"): 3},
        )  # fmt: skip
        async with connection.transaction():
            await connection.execute("UPDATE shard SET batch = $1 WHERE name = 'main'", number)
            await ledger.record(connection, counts)
    refused = NewRejection(
        received_at=at, topic="t", device="bin-1", reason="r", pointer="", detail="", payload=b"x"
    )
    await rejections.record(connection, "main", day, [refused] * REJECTED)
    alert = await builders.fire(connection, device, at=noon)
    await connection.execute(_END, alert, noon + timedelta(hours=1))
    await connection.execute(_TELL, uuid4(), noon, alert)
    await connection.execute(_COMMAND, uuid4(), device.id, noon)
    await audit.record(
        connection, by=PLATFORM, municipality=None, action="device.edit", subject="bin-1", now=at,
        before={"title": str(day)}, after={"title": str(day + 1)},
    )  # fmt: skip


_END = """
WITH ended AS (UPDATE alert SET state = 'resolved', resolved_at = $2 WHERE id = $1)
INSERT INTO transition
    (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
VALUES ($1, 'firing', 'resolved', 'major', $2, $2, $2, '{}')
"""
_TELL = """
WITH told AS (
    INSERT INTO delivery (id, call_id, person_id, channel, address, occasion, state, due_at, created_at)
    VALUES ($1, $1, 0, 'email', 'a@example.org', 'opened', 'delivered', $2, $2)
),
about AS (INSERT INTO delivery_alert (delivery_id, alert_id) VALUES ($1, $3)),
escalated AS (
    INSERT INTO escalation (alert_id, state, occasion, severity, began_at)
    VALUES ($3, 'ended', 'resolved', 'major', $2)
)
INSERT INTO delivery_attempt (delivery_id, number, began_at) VALUES ($1, 1, $2)
"""
_COMMAND = """
INSERT INTO command (id, device_id, name, args, status, expires_at, created_at, updated_at)
VALUES ($1, $2, 'report_now', '{}', 'succeeded', $3, $3, $3)
"""


async def enforce(
    connection: asyncpg.Connection, found: list[RetentionClass], at: datetime, *, piece: int = 1000
) -> dict[str, int]:
    now = to_microseconds(at)
    return await keeping.enforce(connection, found, lambda: now, lambda: now, piece=piece)


async def tables(connection: asyncpg.Connection, found: list[RetentionClass]) -> list[str]:
    return [name for one in found for name in one.expiring.tables]


async def check_totals(connection: asyncpg.Connection, noon: datetime) -> None:
    """Compare every sum with what was lived through."""
    whole = await ledger.total(connection)
    batches = DAYS * BATCHES
    assert whole.balanced
    assert (whole.received, whole.stored, whole.duplicate, whole.rejected, whole.messages) == (
        10 * batches, 5 * batches, 2 * batches, 3 * batches, 7 * batches,
    )  # fmt: skip
    assert whole.reasons == {"reason-0": batches * 3 / 2, "reason-1": batches * 3 / 2}
    assert await ledger.first_received(connection) == START.replace(hour=0)
    days = await ledger.by_period(connection, every=DAY)
    assert [(p.totals.received, p.totals.balanced) for p in days] == [(10 * BATCHES, True)] * DAYS
    (shard,) = await totals.by_shard(connection)
    assert (shard.stored, shard.duplicate) == (whole.stored, whole.duplicate)
    asked = FiguresQuery(
        municipality="tripoli", from_at=START - DAY, until_at=noon + DAY, by=FigureGroup.RULE,
        per=PeriodKind.MONTH,
    )  # fmt: skip
    months = (await read_figures(connection, asked, noon + DAY)).figures
    counted = [one.alerts for one in months if one.alerts]
    assert (sum(a.opened for a in counted), sum(a.resolved for a in counted)) == (DAYS, DAYS)
    assert {a.still_open for a in counted} == {0}


async def test_what_is_not_over_stays_whatever_its_age(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    device = await builders.add(connection, "bin-1", installed_at=START)
    still_open = await builders.fire(connection, device, at=START)
    await connection.execute(_TELL, uuid4(), START, still_open)
    await connection.execute("UPDATE escalation SET state = 'telling'")
    waiting = await builders.fire(connection, device, rule="other", at=START)
    await connection.execute(_END, waiting, START)
    await connection.execute(_TELL, uuid4(), START, waiting)
    await connection.execute(
        "UPDATE delivery SET state = 'planned' WHERE id IN (SELECT delivery_id FROM"
        " delivery_alert WHERE alert_id = $1)",
        waiting,
    )
    await connection.execute("UPDATE escalation SET next_at = $2 WHERE alert_id = $1", waiting, START)
    behind = await builders.fire(connection, device, rule="third", at=START)
    gone = await builders.fire(connection, device, rule="fourth", at=START)
    await connection.execute(_END, gone, START)
    await connection.execute("UPDATE alert SET inhibited_by = $2 WHERE id = $1", behind, gone)
    await rejections.record(
        connection,
        "main",
        1,
        [
            NewRejection(
                received_at=to_microseconds(START),
                topic="t",
                device="new-1",
                reason="unknown_device",
                pointer="",
                detail="",
                payload=b"x",
            )
        ],
    )
    await connection.execute("UPDATE rejection SET replay_requested_at = now()")

    removed = await enforce(connection, classes(tmp_path), START + DAYS * DAY)

    assert (removed["ended alerts"], removed["notifications"], removed["rejections"]) == (1, 0, 0)
    left = await connection.fetch("SELECT id, inhibited_by FROM alert ORDER BY id")
    assert [tuple(row) for row in left] == [(still_open, None), (waiting, None), (behind, None)]


async def test_a_class_that_is_behind_says_since_when_and_goes_on_at_the_next_turn(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    at = START + DAYS * DAY
    refused = NewRejection(
        received_at=to_microseconds(START),
        topic="t",
        device="d",
        reason="r",
        pointer="",
        detail="",
        payload=b"",
    )
    await rejections.record(connection, "main", 1, [refused] * 5)
    found = classes(tmp_path)[:1]

    async def turn(after: timedelta) -> int | None:
        now = to_microseconds(at + after)
        done = await keeping.enforce(connection, found, lambda: now, lambda: now, piece=2, pieces=1)
        return done.get("rejections")

    seconds = timedelta(seconds=30)
    assert [await turn(seconds * n) for n in range(4)] == [2, 2, 1, None]
    row = await connection.fetchrow("SELECT removed, behind_since FROM retention_run")
    assert row is not None
    assert tuple(row) == (5, None)
    assert await turn(timedelta(minutes=11)) == 0


async def test_files_of_photos_without_a_row_go_and_others_stay(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    from tests.integration.work.builders import order, picture, step
    from work import photos
    from work.photo_files import PhotoDirectory

    files = PhotoDirectory(tmp_path)
    known, orphan, foreign = uuid4(), uuid4(), tmp_path / "00" / "README"
    (photo_class,) = [one for one in classes(tmp_path) if one.name == "photos without order"]
    files.write(orphan, b"x")
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("not ours")
    later = datetime.now(UTC) + timedelta(days=8)

    async def sweep(at: datetime) -> int:
        return sum(
            [
                await photo_class.expiring.forget_before(connection, at - photo_class.keep, limit=9, now=at)
                for _ in range(256)
            ]
        )

    assert await sweep(later) == 0, "no row at all: rather the wrong database than orphans"
    made = await order(connection)
    await photos.add_photo(connection, files, made.id, picture(), step(), photo=known)
    assert await sweep(datetime.now(UTC)) == 0, "too young"
    assert await sweep(later) == 1
    assert (files.path(known).exists(), files.path(orphan).exists(), foreign.exists()) == (True, False, True)


_FILL = """
INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
SELECT 'main', n, now() - n * interval '1 minute', 't', 'd', 'r', '', '', ''
FROM generate_series(1, 20000) AS n;
INSERT INTO ledger (shard, batch, received_at, messages, received, stored, duplicate, rejected, undated)
SELECT 'main', n, now() - (20001 - n) * interval '1 minute', 1, 1, 1, 0, 0, 0
FROM generate_series(1, 20000) AS n;
INSERT INTO ledger_device (shard, batch, device, outcome, readings)
SELECT 'main', n, 'd', 'duplicate', 1 FROM generate_series(1, 20000) AS n;
INSERT INTO ledger_total (shard, batch) VALUES ('main', 20000);
INSERT INTO command (id, device_id, name, args, status, expires_at, created_at, updated_at)
SELECT gen_random_uuid(), 1, 'c', '{}', 'succeeded', now(), now() - n * interval '1 minute', now()
FROM generate_series(1, 20000) AS n;
INSERT INTO delivery (id, call_id, person_id, channel, address, occasion, state, due_at, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), 0, 'email', 'a', 'opened', 'delivered', now(),
    now() - n * interval '1 minute'
FROM generate_series(1, 20000) AS n;
INSERT INTO alert
    (rule, rule_version, device_id, state, severity, opened_at, detected_at, resolved_at, summary, evidence)
SELECT 'bin-overflow', 1, 1, 'resolved', 'major', now(), now(), now() - n * interval '1 minute', '{}', '{}'
FROM generate_series(1, 20000) AS n;
INSERT INTO transition
    (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
SELECT id, 'pending', 'firing', 'major', now(), now(), now(), '{}' FROM alert;
INSERT INTO delivery_alert (delivery_id, alert_id)
SELECT d.id, a.id FROM (SELECT id, row_number() OVER () AS n FROM delivery) AS d
INNER JOIN (SELECT id, row_number() OVER () AS n FROM alert) AS a ON d.n = a.n;
"""


async def test_no_piece_reads_a_whole_table(connection: asyncpg.Connection, tmp_path: Path) -> None:
    await builders.add(connection, "bin-1")
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute(_FILL)
    await connection.execute("ANALYZE")
    found = [one.expiring for one in classes(tmp_path)]
    statements = [_DUE, _FORGET, *(one.forget for one in found if isinstance(one, ExpiringRows))]
    grown = "rejection|ledger|ledger_device|command|delivery|alert|transition|delivery_alert"

    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for number, statement in enumerate(statements):
        await connection.execute(f"PREPARE piece{number} AS {statement}")
        nothing = ", ".join(["NULL"] * len(set(re.findall(r"\$\d", statement))))
        explained = await connection.fetch(f"EXPLAIN EXECUTE piece{number} ({nothing})")
        plan = "\n".join(row[0] for row in explained)
        assert not re.search(rf"Seq Scan on ({grown})( |$)", plan, re.MULTILINE), plan


_UNINDEXED = """
SELECT c.conrelid::regclass::text || '.' || a.attname AS column
FROM pg_constraint AS c
INNER JOIN pg_attribute AS a ON c.conrelid = a.attrelid AND c.conkey[1] = a.attnum
WHERE c.contype = 'f' AND c.confrelid::regclass::text = ANY($1) AND NOT EXISTS (
    SELECT FROM pg_index AS i
    WHERE i.indrelid = c.conrelid AND i.indkey[0] = a.attnum
        AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(' || a.attname || ' IS NOT NULL)')
)
"""


async def test_whatever_points_at_rows_that_go_has_an_index(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    own = await tables(connection, classes(tmp_path))

    assert [row["column"] for row in await connection.fetch(_UNINDEXED, own)] == []


@pytest.mark.parametrize("text", ["0", "-5", "soon"])
def test_a_length_that_would_remove_everything_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NABD_KEEP_ALERTS_DAYS", text)

    with pytest.raises(ValueError, match="keep_alerts_days"):
        Settings()
