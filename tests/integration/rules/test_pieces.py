"""Checkpoints in pieces: a restart knows what an evaluator knows that never stopped, whatever was saved."""

from __future__ import annotations

from dataclasses import fields
from random import Random

import asyncpg
import numpy as np
import pytest

from devices.columns import Columns
from devices.instants import to_datetime
from rules.engine import snapshot
from rules.engine.ruleset import RuleSet
from rules.engine.state import StateRows
from rules.live import checkpoints
from rules.live.consumer import LiveRules
from tests.integration.rules.ingestion import KINDS, Ingestion, bins
from tests.integration.rules.test_live import START, put, rule
from tests.integration.rules.town import MINUTE, add_device

RULES = (
    rule("overflow", "fill_pct >= 85")
    + rule("lasting", "fill_pct >= 50", "for: 40m")
    + rule("often", 'n_of(fill_pct > 50, 3, "2h")', "for: 0")
)
PIECES = "SELECT kind FROM rule_checkpoint WHERE kind LIKE 'bin%' ORDER BY kind"


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "PIECE", 2)
    monkeypatch.setattr(checkpoints, "APART_US", 0)
    monkeypatch.setattr(snapshot, "_AT_ONCE", 3)


def history(devices: list[int]) -> list[Columns]:
    """Batches of readings received as they were observed; one device after the other begins to talk."""
    random, batches = Random(7), []
    for minute in range(0, 240, 10):
        talking = devices[: 2 + minute // 40]
        rows = [
            (device, START + minute * MINUTE, {"fill_pct": float(random.choice((5, 40, 60, 90)))})
            for device in talking
            if random.random() < 0.6
        ]
        if rows:
            batches.append(bins(rows, START + minute * MINUTE + 1))
    return batches


def assert_same(one: RuleSet, other: RuleSet, devices: list[int]) -> None:
    """Fail unless both remember the same of the devices."""
    ids = np.array(devices, dtype=np.int32)
    rows = []
    for state in (one.state.copy(), other.state.copy()):
        places = state.rows_of(ids)
        rows.append(state.rows.take(places))
    for field in fields(StateRows):
        here, there = (getattr(of, field.name) for of in rows)
        np.testing.assert_array_equal(here, there, err_msg=field.name)


async def never_stopped(connection: asyncpg.Connection) -> RuleSet:
    """Return the rules of bins, for which nothing has been said yet."""
    rules = LiveRules(KINDS)
    await rules.load(connection, "main")
    return rules.checkpoints["bin"]


@pytest.mark.parametrize("batches_a_life", [1, 2, 5, 40])
@pytest.mark.parametrize("every_us", [0, 15 * MINUTE, 1000 * MINUTE])
async def test_restart_knows_what_was_known_whenever_its_pieces_were_saved(
    connection: asyncpg.Connection, every_us: int, batches_a_life: int
) -> None:
    await put(connection, RULES)
    devices = [await add_device(connection, f"B-{number}") for number in range(8)]
    expected = await never_stopped(connection)
    batches = history(devices)

    for start in range(0, len(batches), batches_a_life):
        ingestion = await Ingestion(connection, LiveRules(KINDS, checkpoint_every_us=every_us)).start()
        assert_same(ingestion.rules.checkpoints["bin"], expected, devices)
        for columns in batches[start : start + batches_a_life]:
            await ingestion.commit(columns)
            expected.replay(columns)

    again = await Ingestion(connection).start()
    assert_same(again.rules.checkpoints["bin"], expected, devices)
    assert len(await connection.fetch(PIECES)) > 1


@pytest.mark.parametrize("batches_a_life", [1, 2, 5, 40])
@pytest.mark.parametrize("changed_before", [6, 7, 10])
async def test_rule_that_becomes_active_has_judged_the_same_after_a_kill(
    connection: asyncpg.Connection, batches_a_life: int, changed_before: int
) -> None:
    await put(connection, RULES)
    devices = [await add_device(connection, f"B-{number}") for number in range(8)]
    always = LiveRules(KINDS)
    await always.load(connection, "main")
    ingestion = await Ingestion(connection, LiveRules(KINDS, checkpoint_every_us=1000 * MINUTE)).start()

    for number, columns in enumerate(history(devices)):
        if number == changed_before:
            await put(connection, RULES + rule("again", "fill_pct >= 40", "for: 3 readings"))
            await always.reload(connection)
            await ingestion.rules.reload(connection)
        if number % batches_a_life == 0:
            rules = LiveRules(KINDS, checkpoint_every_us=1000 * MINUTE)
            ingestion = await Ingestion(connection, rules).start()
        assert_same(ingestion.rules.checkpoints["bin"], always.checkpoints["bin"], devices)
        await ingestion.commit(columns)
        always.checkpoints["bin"].replay(columns)

    assert_same(
        (await Ingestion(connection).start()).rules.checkpoints["bin"], always.checkpoints["bin"], devices
    )


async def test_pieces_that_an_earlier_life_of_the_name_left_count_no_more(
    connection: asyncpg.Connection,
) -> None:
    await put(connection, RULES)
    devices = [await add_device(connection, f"B-{number}") for number in range(8)]
    blank = await never_stopped(connection)
    left = snapshot.dump(snapshot.take(blank.state))
    await connection.execute(
        "INSERT INTO rule_checkpoint VALUES ('main', 'bin:7', 0, $1, $2)", to_datetime(START - MINUTE), left
    )
    ingestion = await Ingestion(connection).start()
    assert ingestion.rules.checkpoints["bin"].pieces == {}

    await ingestion.commit(history(devices)[0])

    pieces = (await Ingestion(connection).start()).rules.checkpoints["bin"].pieces
    assert 7 not in pieces
    assert len(pieces) > 1


async def test_pieces_without_a_base_say_nothing(connection: asyncpg.Connection) -> None:
    await put(connection, RULES)
    devices = [await add_device(connection, f"B-{number}") for number in range(8)]
    blank = await never_stopped(connection)
    ingestion = await Ingestion(connection).start()
    for columns in history(devices)[:4]:
        await ingestion.commit(columns)

    await connection.execute("DELETE FROM rule_checkpoint WHERE kind = 'bin'")

    assert_same((await Ingestion(connection).start()).rules.checkpoints["bin"], blank, devices)


@pytest.mark.parametrize("pieces_stay", [False, True])
async def test_restart_goes_on_from_a_checkpoint_that_an_earlier_version_left(
    connection: asyncpg.Connection, pieces_stay: bool
) -> None:
    await put(connection, RULES)
    devices = [await add_device(connection, f"B-{number}") for number in range(8)]
    expected = await never_stopped(connection)
    batches = history(devices)
    ingestion = await Ingestion(connection).start()
    for columns in batches[:9]:
        await ingestion.commit(columns)
        expected.replay(columns)
    if not pieces_stay:
        await connection.execute("DELETE FROM rule_checkpoint")
    await connection.execute("DELETE FROM rule_checkpoint WHERE kind = 'bin'")
    await connection.execute(
        "INSERT INTO rule_checkpoint VALUES ('main', 'bin', $1, $2, $3)",
        ingestion.batch,
        to_datetime(expected.seen),
        snapshot.dump(snapshot.take(expected.state)),
    )

    pieces = (await Ingestion(connection).start()).rules.checkpoints["bin"].pieces
    assert min(pieces.values()) == pieces[checkpoints.BASE]
    for columns in batches[9:]:
        ingestion = await Ingestion(connection, LiveRules(KINDS, checkpoint_every_us=0)).start()
        assert_same(ingestion.rules.checkpoints["bin"], expected, devices)
        await ingestion.commit(columns)
        expected.replay(columns)

    assert_same((await Ingestion(connection).start()).rules.checkpoints["bin"], expected, devices)
