"""All ways to read stored readings give the same columns in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import numpy as np
import pytest

from devices.columns import Columns
from devices.instants import to_datetime
from devices.kinds import load
from devices.kinds.kind import Kind
from readings import replay
from readings.replay import ReceiveSpan
from store.pool import connect
from tests.databases import now as wall_clock
from tests.integration.rules.town import MINUTE, add_device
from tests.waiting import eventually

KINDS = load()
START = wall_clock() - 3600 * 1_000_000
VALUES: dict[str, tuple[str, str, list[object]]] = {
    "bin": ("fill_pct", "lid_open", [True, None, False, None, None, True]),
    "drone": ("battery_pct", "flight_phase", ["docked", None, "no choice نبض", "", None, "late"]),
}
"""Two measurements of a kind, and what six readings say of the second."""


@pytest.fixture(params=["plain", "timescale"])
async def stored(request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    """A database of each edition with readings of four devices, some late, some with nothing in them."""
    dsn = request.getfixturevalue({"plain": "dsn", "timescale": "timescale_dsn"}[request.param])
    connection = await connect(dsn)
    try:
        await connection.execute("TRUNCATE device, bin_reading, drone_reading CASCADE")
        for kind in VALUES:
            await store(connection, kind)
        yield connection
    finally:
        await connection.close(timeout=5)


async def store(connection: asyncpg.Connection, kind: str) -> None:
    one, two = [await add_device(connection, f"{kind}-{i}", kind) for i in range(2)]
    number, other, said = VALUES[kind]
    rows = [(one, 0, 0, 0, 81.5), (two, 0, 0, 256, None), (one, 2, 2, 0, 80.0)]
    rows += [(two, -30, 3, 0, -0.0), (one, 1, 3, 5, 79.25), (one, 9, 9, 0, 1.0)]
    for (device, observed, received, quality, value), word in zip(rows, said, strict=True):
        await connection.execute(
            f"INSERT INTO {kind}_reading (device_id, observed_at, received_at, quality, {number}, {other})"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            device,
            to_datetime(START + observed * MINUTE),
            to_datetime(START + received * MINUTE),
            quality,
            value,
            word,
        )


async def arriving(connection: asyncpg.Connection, kind: Kind) -> list[Columns]:
    oldest, before = to_datetime(START - 60 * MINUTE), START + 9 * MINUTE
    found = replay.arriving(connection, kind, oldest=oldest, after=START - 1, before=before)
    return [columns async for columns in found]


async def handed_over(connection: asyncpg.Connection, kind: Kind) -> list[Columns]:
    found: list[Columns] = []
    oldest = to_datetime(START - 60 * MINUTE)
    await replay.hand_over(connection, kind, found.append, oldest=oldest, after=START + MINUTE)
    return found


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("at_a_time", [1, 2, 3, 4, 5, 25_000])
async def test_what_is_handed_over_is_the_same_columns(
    stored: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, name: str, at_a_time: int
) -> None:
    monkeypatch.setattr(replay, "COPIED", at_a_time)
    kind = KINDS[name]
    span = ReceiveSpan(start=START + MINUTE + 1, end=START + 60 * MINUTE, oldest=None, rows=0)

    at_once = await replay.columns(stored, kind, span, measurements=[m.name for m in kind.measurements])
    parts = await handed_over(stored, kind)

    assert len(at_once) == 4
    assert_same(at_once, parts)


async def test_nothing_is_handed_over_where_nothing_came(stored: asyncpg.Connection) -> None:
    found: list[Columns] = []

    await replay.hand_over(
        stored, KINDS["bin"], found.append, oldest=to_datetime(START), after=START + 9 * MINUTE
    )

    assert not found


async def test_what_is_handed_over_may_take_longer_than_a_statement_usually_does(
    dsn: str, connection: asyncpg.Connection
) -> None:
    await connection.execute("TRUNCATE device, bin_reading, drone_reading CASCADE")
    await store(connection, "drone")
    hurried = await connect(dsn, statement_timeout_s=0.5)
    found: list[Columns] = []
    oldest = to_datetime(START - 60 * MINUTE)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE drone_reading IN ACCESS EXCLUSIVE MODE")
            waiting = asyncio.create_task(
                replay.hand_over(hurried, KINDS["drone"], found.append, oldest=oldest, after=START - 1)
            )

            async def late() -> bool:
                # Within a transaction the server tells of others as it first saw them.
                await connection.execute("SELECT pg_stat_clear_snapshot()")
                held_up = await connection.fetchval(_HELD_UP, hurried.get_server_pid())
                return bool(held_up) or waiting.done()

            await eventually(late)
        await waiting

        assert sum(map(len, found)) == 6
        assert await hurried.fetchval("SHOW statement_timeout") == "500ms"
    finally:
        await hurried.close(timeout=5)


_HELD_UP = """
SELECT clock_timestamp() - query_start > '1 second' AND wait_event_type = 'Lock'
FROM pg_stat_activity
WHERE pid = $1
"""


@pytest.mark.parametrize("name", VALUES)
async def test_a_window_at_once_and_some_rows_at_a_time_are_the_same_columns(
    stored: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(replay, "CHUNK", 2)
    kind = KINDS[name]
    span = ReceiveSpan(start=START, end=START + 9 * MINUTE, oldest=START - 60 * MINUTE, rows=0)

    at_once = await replay.columns(stored, kind, span, measurements=[m.name for m in kind.measurements])
    parts = await arriving(stored, kind)

    assert [len(part) for part in parts] == [2, 2, 1]
    assert_same(at_once, parts)


def assert_same(at_once: Columns, parts: list[Columns]) -> None:
    """Fail unless the parts are the whole, in order."""
    for field in ("device_id", "observed_at", "received_at", "quality", "boot", "seq", "extra"):
        whole = getattr(at_once, field)
        assert np.concatenate([getattr(part, field) for part in parts]).tolist() == whole.tolist(), field
        assert {getattr(part, field).dtype for part in parts} == {whole.dtype}, field
    for measurement, values in at_once.values.items():
        found = np.concatenate([part.values[measurement] for part in parts])
        assert found.dtype == values.dtype, measurement
        assert repr(found.tolist()) == repr(values.tolist()), measurement  # NaN is no equal of NaN


@pytest.mark.parametrize("name", VALUES)
async def test_columns_say_what_was_stored_in_the_order_it_arrived(
    stored: asyncpg.Connection, name: str
) -> None:
    number, other, _ = VALUES[name]

    (found,) = await arriving(stored, KINDS[name])

    assert ((found.received_at - START) // MINUTE).tolist() == [0, 0, 2, 3, 3]
    assert ((found.observed_at - START) // MINUTE).tolist() == [0, 0, 2, -30, 1]
    assert repr(found.values[number].tolist()[1:]) == "[nan, 80.0, -0.0, 79.25]"
    expected = {"bin": "[1.0, nan, 0.0, nan, nan]", "drone": "['docked', None, 'no choice نبض', '', None]"}
    assert repr(found.values[other].tolist()) == expected[name]
