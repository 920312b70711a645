"""Rules in the batch's transaction, on a real database: exactly once through kills, edits, broken rules."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.events import events_after
from alerts.queue import list_alerts
from devices.columns import Columns
from rules.catalogue import catalogue
from rules.live import isolation
from rules.live.consumer import LiveRules
from rules.loading.files import parse
from tests.databases import now as wall_clock
from tests.integration.rules.ingestion import KINDS, Crash, Ingestion, bins
from tests.integration.rules.town import MINUTE, add_device

START = wall_clock() - 6 * 3600 * 1_000_000
SENTENCES = 'summary: {en: "{device} at {fill_pct:.0f}", fr: "{device}", ar: "{device}"}'


def rule(name: str, level: str, extra: str = "for: 2 readings") -> str:
    return f"- id: {name}\n  kind: bin\n  {SENTENCES}\n  levels: {{warning: '{level}'}}\n  {extra}\n"


OVERFLOW = rule("overflow", "fill_pct >= 85")


async def put(connection: asyncpg.Connection, text: str, minute: int = 0) -> catalogue.ApplyResult:
    return await catalogue.apply(connection, parse(text, KINDS), START + minute * MINUTE)


def fills(device: int, *readings: tuple[int, float]) -> Columns:
    """Readings (minute, fill), received as they were observed."""
    rows = [(device, START + minute * MINUTE, {"fill_pct": fill}) for minute, fill in readings]
    columns = bins(rows, START)
    columns.received_at = columns.observed_at + 1
    return columns


async def told(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    return [(e.rule, str(e.type)) for e in await events_after(connection)]


@pytest.fixture(autouse=True, params=[True, False], ids=["foreseen", "not foreseen"])
def foreseeing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ingestion, "foresees", request.param)


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def test_alert_opens_and_resolves_when_readings_say_so(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()

    await ingestion.commit(fills(device, (0, 90), (10, 91)))
    (alert,) = await list_alerts(connection)
    await ingestion.commit(fills(device, (20, 5), (30, 5)))

    assert alert.summary["en"] == "B-1 at 91"
    assert alert.evidence["values"] == {"fill_pct": 91}
    assert await told(connection) == [("overflow", "opened"), ("overflow", "resolved")]


async def test_rolled_back_batch_leaves_no_trace_when_it_is_tried_again(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()

    for _ in range(3):
        with pytest.raises(Crash):
            await ingestion.commit(fills(device, (0, 90)), crash=True)
    await ingestion.commit(fills(device, (0, 90)))
    assert await told(connection) == []

    await ingestion.commit(fills(device, (10, 90)))
    assert await told(connection) == [("overflow", "opened")]


@pytest.mark.parametrize("batches_a_life", [1, 2, 3, 9])
async def test_state_survives_when_ingest_is_killed_after_every_few_batches(
    connection: asyncpg.Connection, device: int, batches_a_life: int
) -> None:
    await put(connection, OVERFLOW)
    history = [(0, 90), (10, 50), (20, 90), (30, 91), (40, 92), (50, 10), (60, 90), (70, 10), (80, 12)]

    for start in range(0, len(history), batches_a_life):
        # The first batch of a life leaves a checkpoint, those after it are replayed by the next one.
        rules = LiveRules(KINDS, checkpoint_every_us=1000 * MINUTE)
        ingestion = await Ingestion(connection, rules).start()
        for reading in history[start : start + batches_a_life]:
            await ingestion.commit(fills(device, reading))

    assert await told(connection) == [("overflow", "opened"), ("overflow", "resolved")]
    alert = (await list_alerts(connection))[0]
    assert alert.opened_at.timestamp() * 1e6 == START + 30 * MINUTE
    assert alert.resolved_at is not None
    assert alert.resolved_at.timestamp() * 1e6 == START + 80 * MINUTE


async def test_rows_are_not_evaluated_again_when_they_were_foreseen(
    connection: asyncpg.Connection, device: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    columns = fills(device, (0, 90), (10, 91))
    ingestion.foresees = False

    ingestion.rules.foresee(columns)
    monkeypatch.setattr(isolation, "step", None)
    await ingestion.commit(columns)

    assert await told(connection) == [("overflow", "opened")]


async def test_what_was_foreseen_counts_for_no_other_rows(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection).start()
    ingestion.foresees = False

    ingestion.rules.foresee(fills(device, (0, 90), (10, 91)))
    await ingestion.commit(fills(device, (0, 90), (10, 5)))

    assert await told(connection) == []


async def test_checkpoint_is_kept_at_most_once_a_minute(connection: asyncpg.Connection, device: int) -> None:
    await put(connection, OVERFLOW)
    ingestion = await Ingestion(connection, LiveRules(KINDS, checkpoint_every_us=15 * MINUTE)).start()

    for minute in (0, 10, 14, 16, 20):
        await ingestion.commit(fills(device, (minute, 50)))

    assert await connection.fetchval("SELECT batch FROM rule_checkpoint WHERE kind = 'bin'") == 4


async def test_changed_rule_keeps_its_open_alert_and_ends_it_by_its_new_condition(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW + rule("other", "fill_pct > 10", "for: 3 readings"))
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(fills(device, (0, 90), (10, 90)))

    applied = await put(connection, rule("overflow", "fill_pct >= 80", "for: 0"))
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 82)))
    # The other rule did not change, so its third reading counts.
    assert await told(connection) == [("overflow", "opened"), ("other", "opened")]
    await ingestion.commit(fills(device, (30, 79)))

    assert applied.changed == ("overflow",)
    assert await told(connection) == [
        ("overflow", "opened"), ("other", "opened"), ("overflow", "resolved"),
    ]  # fmt: skip


FORBID = """
CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no bad alerts here'; END $$;
CREATE TRIGGER forbid BEFORE INSERT ON alert FOR EACH ROW WHEN (NEW.rule = 'bad' AND NEW.rule_version = 1)
EXECUTE FUNCTION forbid();
"""


async def test_broken_rule_costs_neither_the_batch_nor_other_rules_and_catches_up_once_mended(
    connection: asyncpg.Connection, device: int
) -> None:
    await connection.execute(FORBID)
    await put(connection, OVERFLOW + rule("bad", "fill_pct >= 88"))
    ingestion = await Ingestion(connection).start()

    await ingestion.commit(fills(device, (0, 90), (10, 90)))
    await ingestion.commit(fills(device, (20, 91)))

    assert await told(connection) == [("overflow", "opened")]
    assert await connection.fetchval("SELECT count(*) FROM bin_reading") == 3
    marked = await connection.fetchrow("SELECT broken_at, broken_reason FROM rule WHERE id = 'bad'")
    assert marked is not None
    assert "no bad alerts here" in marked["broken_reason"]

    await put(connection, rule("bad", "fill_pct >= 89"), 25)
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (30, 20)))
    await ingestion.commit(fills(device, (40, 20)))

    assert await told(connection) == [
        ("overflow", "opened"), ("bad", "opened"), ("bad", "resolved"), ("overflow", "resolved"),
    ]  # fmt: skip
    alert = next(a for a in await list_alerts(connection) if a.rule == "bad")
    assert alert.opened_at.timestamp() * 1e6 == START + 10 * MINUTE


async def test_broken_rule_catches_up_when_the_mending_came_with_a_restart(
    connection: asyncpg.Connection, device: int
) -> None:
    await connection.execute(FORBID)
    await put(connection, rule("bad", "fill_pct >= 88"))
    await (await Ingestion(connection).start()).commit(fills(device, (0, 90), (10, 90)))
    await put(connection, rule("bad", "fill_pct >= 89"), 25)

    ingestion = await Ingestion(connection).start()
    with pytest.raises(Crash):
        await ingestion.commit(fills(device, (20, 91)), crash=True)
    assert await told(connection) == []
    await ingestion.commit(fills(device, (20, 91)))

    assert await told(connection) == [("bad", "opened")]


FORBID_TWO = """
CREATE FUNCTION forbid_two() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF (SELECT count(*) FROM opened) > 1 THEN RAISE 'one at a time'; END IF; RETURN NULL; END $$;
CREATE TRIGGER forbid_two AFTER INSERT ON alert REFERENCING NEW TABLE AS opened
FOR EACH STATEMENT EXECUTE FUNCTION forbid_two();
"""


async def test_rules_that_fail_only_together_cost_no_reading_either(
    connection: asyncpg.Connection, device: int
) -> None:
    await connection.execute(FORBID_TWO)
    await put(connection, OVERFLOW + rule("other", "fill_pct > 80"))
    ingestion = await Ingestion(connection).start()

    await ingestion.commit(fills(device, (0, 90), (10, 90)))
    await ingestion.commit(fills(device, (20, 90)))

    assert await connection.fetchval("SELECT count(*) FROM bin_reading") == 3
    reasons = await connection.fetch("SELECT broken_reason FROM rule")
    assert {r["broken_reason"] for r in reasons} == {"fails beside other rules: one at a time"}


async def test_rule_that_cannot_be_read_is_marked_broken_and_costs_no_reading(
    connection: asyncpg.Connection, device: int
) -> None:
    await put(connection, OVERFLOW)
    await connection.execute(
        "INSERT INTO rule (id, version, kind, definition, created_at) VALUES ('odd', 1, 'bin', '{}', now())"
    )
    ingestion = await Ingestion(connection).start()

    await ingestion.commit(fills(device, (0, 90), (10, 90)))

    assert await told(connection) == [("overflow", "opened")]
    assert "id is missing" in await connection.fetchval("SELECT broken_reason FROM rule WHERE id = 'odd'")


async def test_apply_leaves_unchanged_rules_alone_and_counts_a_generation_only_for_changes(
    connection: asyncpg.Connection,
) -> None:
    first = await put(connection, OVERFLOW)
    before = await connection.fetchval("SELECT generation FROM shard")
    second = await put(connection, OVERFLOW)

    assert (first.added, second.unchanged) == (("overflow",), ("overflow",))
    assert await connection.fetchval("SELECT generation FROM shard") == before
    await catalogue.apply(connection, [], START, remove_others=True)
    assert (await catalogue.active(connection, KINDS)).rules == ()
    assert (await put(connection, OVERFLOW)).added == ("overflow",)
    assert await connection.fetchval("SELECT max(version) FROM rule") == 2
