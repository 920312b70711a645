"""The same batches on both editions: plain PostgreSQL by COPY, TimescaleDB's own code by unnest.

The WebAssembly build of TimescaleDB takes no COPY and one connection at a time, so there the pipeline runs
without a broker and with the writer for such servers.
"""

from __future__ import annotations

from devices.registry.registration import NewDevice, add_devices
from store.audit import PLATFORM
from tests.integration.ingest.editions import KINDS, NOW, Edition


def reading(minute: int, **values: float) -> dict[str, float]:
    return {"ts": NOW // 1000 - 3_600_000 + minute * 60_000, **values}


async def test_readings_are_stored_once_whoever_repeats_them(edition: Edition) -> None:
    await edition.receive(*(reading(minute, fill_pct=minute) for minute in range(50)))

    again = await edition.receive(*(reading(minute, fill_pct=minute) for minute in range(45, 55)))

    assert sum(map(len, again.duplicates)) == 5
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 55
    assert await edition.connection.fetchval("SELECT sum(duplicate) FROM ledger") == 5


async def test_another_value_for_the_same_instant_is_a_conflict(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=10))

    settled = await edition.receive(reading(1, fill_pct=11), reading(2, fill_pct=12))

    assert [r.rejected.reason for r in settled.refused] == ["conflict"]
    rows = await edition.connection.fetch("SELECT fill_pct FROM bin_reading ORDER BY observed_at")
    assert [row["fill_pct"] for row in rows] == [10, 12]


async def test_more_rows_than_one_statement_takes_are_stored(edition: Edition) -> None:
    rows = [reading(0, fill_pct=1) | {"ts": NOW // 1000 - i} for i in range(1200)]

    settled = await edition.receive(rows[:600], rows[600:])

    assert len(settled.stored["bin"]) == 1200
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 1200


async def test_an_alert_opens_in_the_transaction_of_its_reading(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=90), reading(11, fill_pct=91))

    row = await edition.connection.fetchrow(
        "SELECT a.rule, a.state, t.xid::text = r.xmin::text AS together FROM alert AS a"
        " INNER JOIN transition AS t ON t.alert_id = a.id"
        " INNER JOIN ledger AS r ON true ORDER BY r.batch DESC LIMIT 1"
    )
    assert tuple(row or ()) == ("bin-overflow", "firing", True)


async def test_the_newest_reading_is_kept(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=1), reading(2, fill_pct=2))
    await edition.receive(reading(3, fill_pct=3))

    # Flushed with the batch after: at most one batch old while readings flow.
    assert await edition.connection.fetchval("SELECT measurements FROM latest") == {"fill_pct": 2}


async def test_the_views_answer_alike(edition: Edition) -> None:
    await edition.receive(reading(1, fill_pct=33))

    assert await edition.connection.fetchval("SELECT fill_pct FROM v_bin") == 33
    assert await edition.connection.fetchval("SELECT sum(stored) FROM v_ledger") == 1


async def test_what_is_decided_ahead_is_stored_in_its_turn(edition: Edition) -> None:
    first = edition.intake(reading(1, fill_pct=10))
    second = edition.intake(reading(1, fill_pct=10), reading(2, fill_pct=20), {"ts": "yesterday"})

    await edition.process(first, following=second)
    settled = await edition.process(second)

    assert [len(columns) for columns in settled.duplicates] == [1, 0]
    assert [r.rejected.reason for r in settled.refused] == ["bad_time"]
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 2


async def test_steps_of_batches_are_told_in_their_order_and_what_is_decided_ahead_once(
    edition: Edition,
) -> None:
    told: list[str] = []
    edition.pipeline.context.step = told.append
    second = edition.intake(reading(2, fill_pct=20))

    await edition.process(edition.intake(reading(1, fill_pct=10)), following=second)
    await edition.process(second)

    assert told.count("decided ahead") == 1
    assert told.index("decided ahead") < len(told) - 1 - told[::-1].index("decided")
    committing = ["decided", "fenced", "readings", "ledger", "consumed", "committed"]
    assert [step for step in told if step != "decided ahead"] == committing * 2


async def test_what_is_decided_ahead_is_decided_again_when_the_registry_changes(edition: Edition) -> None:
    second = edition.intake(reading(2, fill_pct=20), device="b2")
    await edition.process(edition.intake(reading(1, fill_pct=10)), following=second)
    newcomer = NewDevice(name="b2", kind="bin", municipality="tripoli")
    await add_devices(edition.connection, KINDS, [newcomer], lambda: NOW, by=PLATFORM)

    settled = await edition.process(second)

    assert not settled.refused
    assert len(settled.stored["bin"]) == 1


async def test_what_a_batch_learns_of_a_clock_counts_for_the_one_decided_ahead(edition: Edition) -> None:
    ahead = {"ts": NOW // 1000 + 3 * 3_600_000, "fill_pct": 10}
    second = edition.intake(ahead)
    await edition.process(edition.intake(ahead), following=second)

    settled = await edition.process(second)

    assert [len(columns) for columns in settled.duplicates] == [1, 0]
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 1


async def test_what_was_decided_ahead_and_never_came_is_forgotten(edition: Edition) -> None:
    lost, following = edition.intake(reading(2, fill_pct=20)), edition.intake(reading(4, fill_pct=40))
    await edition.process(edition.intake(reading(1, fill_pct=10)), following=lost)

    await edition.process(edition.intake(reading(3, fill_pct=30)), following=following)

    ahead = edition.pipeline._ahead
    assert ahead is not None
    assert ahead.intake is following
    await edition.process(following)
    assert await edition.connection.fetchval("SELECT count(*) FROM bin_reading") == 3
