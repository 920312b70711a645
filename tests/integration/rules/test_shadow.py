"""Rules on trial beside the live ones: recorded in the batch's transaction, exactly once, never alerting."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from alerts.events import events_after
from alerts.queue import list_alerts
from devices.columns import Columns
from devices.instants import to_datetime
from devices.registry.errors import Invalid, NotFound
from rules.catalogue import editing, versions
from rules.engine.evaluate import RuleFailed, Step, step
from rules.engine.ruleset import RuleSet
from rules.loading.files import parse
from rules.trial import shadows
from tests.actors import actor
from tests.integration.rules.beside import LiveAndShadow
from tests.integration.rules.ingestion import KINDS, Crash, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills, rule
from tests.integration.rules.town import MINUTE, add_device

EARLIER = rule("overflow", "fill_pct >= 70", "for: 1 readings")


@pytest.fixture
async def device(connection: asyncpg.Connection) -> int:
    return await add_device(connection, "B-1")


async def begin(connection: asyncpg.Connection, text: str = EARLIER, minute: int = 0) -> None:
    await shadows.add(
        connection, parse(text, KINDS), by=await actor(connection, "Rima"), now=START + minute * MINUTE
    )


async def started(connection: asyncpg.Connection) -> Ingestion:
    await editing.apply(connection, parse(OVERFLOW, KINDS), by=await actor(connection, "Rima"), now=START)
    await begin(connection)
    return await Ingestion(connection, LiveAndShadow()).start()


async def recorded(connection: asyncpg.Connection) -> list[tuple[str, int]]:
    rows = await connection.fetch("SELECT to_state, observed_at FROM shadow_transition ORDER BY id")
    return [(r["to_state"], round((r["observed_at"].timestamp() * 1e6 - START) / MINUTE)) for r in rows]


async def test_shadow_records_what_it_would_have_done_and_alerts_nobody(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)

    await ingestion.commit(fills(device, (0, 75), (10, 20)))

    assert await recorded(connection) == [("firing", 0), ("resolved", 10)]
    assert await list_alerts(connection) == []
    assert await events_after(connection) == []


async def test_shadow_is_compared_with_the_live_rule(connection: asyncpg.Connection, device: int) -> None:
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 75), (10, 20), (20, 90), (30, 95)))

    trial = await shadows.trial(connection, "overflow", START + 60 * MINUTE)

    assert [e.opened_at for e in trial.shadowed] == [START, START + 20 * MINUTE]
    assert [e.opened_at for e in trial.live] == [START + 30 * MINUTE]


async def test_shadow_records_nothing_twice_when_batches_crash_and_the_process_restarts(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)
    for minute, fill in ((0, 75), (10, 76), (20, 10), (30, 80)):
        with pytest.raises(Crash):
            await ingestion.commit(fills(device, (minute, fill)), crash=True)
        await ingestion.commit(fills(device, (minute, fill)))
        ingestion = await Ingestion(connection, LiveAndShadow()).start()

    assert await recorded(connection) == [("firing", 0), ("resolved", 20), ("firing", 30)]


async def test_shadow_keeps_its_state_when_something_else_is_reloaded(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 75)))
    await ingestion.rules.reload(connection)

    await ingestion.commit(fills(device, (10, 76)))

    assert await recorded(connection) == [("firing", 0)]


async def test_failing_shadow_costs_neither_the_batch_nor_the_live_rule(
    connection: asyncpg.Connection, device: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingestion = await started(connection)

    def fail(ruleset: RuleSet, columns: Columns) -> Step:
        if ruleset is not ingestion.rules.checkpoints["bin"] and "overflow" not in ruleset.skip:
            raise RuleFailed("overflow", ZeroDivisionError("no"))
        return step(ruleset.program, ruleset.state, columns, ruleset.attributes, ruleset.skip)

    monkeypatch.setattr(RuleSet, "step", fail)
    await ingestion.commit(fills(device, (0, 90), (10, 90)))

    (alert,) = await list_alerts(connection)
    (found,) = await shadows.on_trial(connection)
    assert alert.rule == "overflow"
    assert found.broken_reason == "ZeroDivisionError: no"
    assert await recorded(connection) == []


async def test_promoted_shadow_is_in_force_and_open_alerts_stay(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 90), (10, 90)))

    version = await shadows.promote(
        connection, KINDS, "overflow", by=await actor(connection, "Sami"), now=START + 15 * MINUTE
    )
    await ingestion.rules.reload(connection)
    await ingestion.commit(fills(device, (20, 75)))

    (alert,) = await list_alerts(connection)
    in_force = await versions.get_rule(connection, "overflow")
    assert version == in_force.version == 2
    assert in_force.definition["levels"] == {"warning": "fill_pct >= 70"}
    assert alert.state == "firing"
    assert await shadows.on_trial(connection) == []


async def test_dropped_shadow_is_evaluated_no_more(connection: asyncpg.Connection, device: int) -> None:
    ingestion = await started(connection)
    await shadows.drop(connection, "overflow", by=await actor(connection, "Sami"), now=START)
    await ingestion.rules.reload(connection)

    await ingestion.commit(fills(device, (0, 75)))

    assert await recorded(connection) == []
    with pytest.raises(NotFound):
        await shadows.drop(connection, "overflow", by=await actor(connection, "Sami"), now=START)


async def test_second_shadow_of_a_rule_replaces_the_first(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 75)))
    await begin(connection, rule("overflow", "fill_pct >= 99", "for: 0"), minute=5)
    await ingestion.rules.reload(connection)

    await ingestion.commit(fills(device, (10, 76)))

    assert len(await shadows.on_trial(connection)) == 1
    trial = await shadows.trial(connection, "overflow", START + 60 * MINUTE)
    assert trial.shadowed == ()


async def test_rule_about_silence_cannot_be_a_shadow(connection: asyncpg.Connection) -> None:
    silence = "id: gone\nsummary: {en: x, fr: x, ar: x}\nsilent: {missing: 3 intervals}"

    with pytest.raises(Invalid):
        await shadows.add(connection, parse(silence, KINDS), by=await actor(connection, "Rima"), now=START)


async def test_shadow_is_kept_for_as_long_as_readings_and_compared_over_what_is_kept(
    connection: asyncpg.Connection, device: int
) -> None:
    ingestion = await started(connection)
    other = await add_device(connection, "B-2")
    await ingestion.rules.reload(connection)
    # One ended long ago, one that ended lately, one that began long ago and lasts.
    await ingestion.commit(fills(device, (0, 90), (2, 90), (8, 20), (10, 20)))
    await ingestion.commit(fills(other, (5, 90), (7, 90)))
    await ingestion.commit(fills(device, (12, 90), (14, 90)))
    await ingestion.commit(fills(other, (20, 20), (22, 20)))
    now = START + 60 * MINUTE

    assert await forget(connection, now, timedelta(minutes=45)) == 2
    assert await forget(connection, now, timedelta(minutes=45)) == 0

    assert await recorded(connection) == [("firing", 5), ("firing", 12), ("resolved", 20)]
    trial = await shadows.trial(connection, "overflow", now)
    assert trial.shadow.known_since == START + 15 * MINUTE
    assert [(e.opened_at - START) // MINUTE for e in trial.shadowed] == [5, 12]
    assert [(e.opened_at - START) // MINUTE for e in trial.live] == [7, 14]
    # A restart still knows what the shadow holds to be firing.
    assert [a.device_id for a in await shadows.firing(connection, "bin")] == [device]


async def test_shadow_that_ended_long_ago_leaves_nothing(connection: asyncpg.Connection, device: int) -> None:
    ingestion = await started(connection)
    await ingestion.commit(fills(device, (0, 90), (2, 90)))
    await shadows.drop(connection, "overflow", by=await actor(connection, "Rima"), now=START + 5 * MINUTE)

    assert await forget(connection, START + 60 * MINUTE, timedelta(minutes=58)) == 0
    assert await forget(connection, START + 60 * MINUTE, timedelta(minutes=45)) == 1
    assert await recorded(connection) == []


async def forget(connection: asyncpg.Connection, now: int, kept: timedelta) -> int:
    at = to_datetime(now)
    return await shadows.RESULTS.forget_before(connection, at - kept, limit=100, now=at)
