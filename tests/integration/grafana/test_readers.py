"""Accounts of the database see their municipality and nothing else, in both editions, whatever they ask."""

from __future__ import annotations

import asyncpg
import pytest

from store.edition import Edition, stored
from tests.integration.grafana.test_queries import BOARDS, reader_of
from tests.integration.grafana.town import KINDS

VIEWS = """
SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'v\\_%' ORDER BY viewname
"""
OLD = """
INSERT INTO bin_reading (device_id, observed_at, received_at, quality, fill_pct)
SELECT d.id, now() - interval '30 days' - n * interval '1 hour', now(), 0, 50
FROM device AS d CROSS JOIN generate_series(1, 24) AS n
WHERE d.kind = 'bin'
"""
COMPRESS = (
    "SELECT count(compress_chunk(c)) FROM show_chunks('bin_reading', older_than => interval '20 days') AS c"
)
MOVE = """
WITH moved AS (
    INSERT INTO device_move (device_id, moved_at, municipality_id)
    SELECT d.id, now() - interval '10 hours', d.municipality_id
    FROM device AS d WHERE d.name = 'tripoli-bin-1'
)
UPDATE device
SET
    municipality_id = (SELECT m.id FROM municipality AS m WHERE m.name = 'saida'), district_id = NULL,
    moved_at = now() - interval '10 hours'
WHERE name = 'tripoli-bin-1'
"""
PARTITION = """
DO $$
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS bin_reading_old PARTITION OF bin_reading FOR VALUES FROM (%L) TO (%L)',
        date_trunc('day', now() - interval '33 days', 'UTC'),
        date_trunc('day', now() - interval '28 days', 'UTC')
    );
EXCEPTION WHEN OTHERS THEN NULL;  -- the partitions of these days are there
END
$$
"""
OF_THE_PLATFORM = {"v_ledger", "v_shard", "v_delivery"}
"""Rows of no municipality: for those who read all."""
OWN = {
    "every reading, by hand": "SELECT device FROM v_bin WHERE observed_at < now() AND fill_pct > 0",
    "a join without conditions": "SELECT a.device FROM v_bin AS a CROSS JOIN v_alert AS b",
    "a subquery": "SELECT device FROM v_device WHERE device_id IN (SELECT device_id FROM v_bin)",
    "by number": "SELECT d.device FROM generate_series(1, 100) AS n CROSS JOIN LATERAL"
    " (SELECT device FROM v_device WHERE device_id = n) AS d",
    "an aggregate": "SELECT string_agg(device, ' ') AS device FROM v_alert",
    "counters": "SELECT device FROM v_light_counters",
    "old, compressed readings": "SELECT device FROM v_bin WHERE observed_at < now() - interval '25 days'",
}


@pytest.fixture
async def readers(platform: asyncpg.Connection) -> asyncpg.Connection:
    """The town with old readings, compressed where that is possible, and an account for each municipality."""
    assert await platform.fetchval("SELECT keep_reader('nabd_grafana_saida', 'saida', 'secret')") in (
        True,
        False,
    )
    await platform.execute("SELECT keep_reader('nabd_grafana_tripoli', 'tripoli', 'secret')")
    await platform.execute(PARTITION if await stored(platform) is Edition.PLAIN else "SELECT 1")
    await platform.execute(OLD)
    if await stored(platform) is Edition.TIMESCALE:
        assert await platform.fetchval(COMPRESS) > 0
    return platform


async def test_reader_of_one_municipality_finds_no_row_of_another_whatever_he_asks(
    readers: asyncpg.Connection,
) -> None:
    """Every view as it is, queries written by hand, and a condition that would fail on a row of another."""
    views = [row["viewname"] for row in await readers.fetch(VIEWS)]
    edition = await stored(readers)
    assert {f"v_{kind}" for kind in KINDS} < set(views)
    await readers.execute("UPDATE device SET title = CASE WHEN name LIKE 'saida%' THEN '1' ELSE 'secret' END")

    for own, other in (("tripoli", "saida"), ("saida", "tripoli")):
        await readers.execute("RESET ROLE")
        await readers.execute(f"SET ROLE nabd_grafana_{own}")
        for view in views:
            rows = await readers.fetch(f"SELECT to_jsonb(v)::text AS row FROM {view} AS v")
            assert [row["row"] for row in rows if other in row["row"]] == [], view
            assert bool(rows) is (view not in OF_THE_PLATFORM), view
        for what, sql in OWN.items():
            rows = await readers.fetch(sql)
            found = {word.partition("-")[0] for row in rows for word in row["device"].split()}
            assert found == {own}, what

    assert await readers.fetchval("SELECT count(*) FROM v_device WHERE title::integer > 0") == 2 * len(KINDS)
    for board in BOARDS[: len(BOARDS) // 3]:
        reader = reader_of(edition, board)
        for section in board.sections:
            for chart in section.charts:
                for row in await readers.fetch(reader.asks(chart.sql)):
                    assert "tripoli" not in str(row), (board.uid, chart.title)


async def test_who_is_no_reader_sees_nothing_the_owner_all_and_a_device_leaves_its_past_behind(
    readers: asyncpg.Connection,
) -> None:
    assert await readers.fetchval("SELECT count(DISTINCT municipality) FROM v_bin") == 2
    assert await readers.fetchval("SELECT count(*) FROM v_shard") >= 1
    await readers.execute(MOVE)
    counted = {}
    for name in ("saida", "tripoli"):
        await readers.execute(f"SET ROLE nabd_grafana_{name}")
        counted[name] = await readers.fetchval("SELECT count(*) FROM v_bin WHERE device = 'tripoli-bin-1'")
        await readers.execute("RESET ROLE")
    await readers.execute("DELETE FROM database_reader WHERE role = 'nabd_grafana_saida'")
    await readers.execute("SET ROLE nabd_grafana_saida")

    assert counted["saida"] == 29  # every 20 minutes for not quite 10 hours
    assert counted["tripoli"] == 31 + 24
    assert await readers.fetchval("SELECT count(*) FROM v_device") == 0
    assert await readers.fetchval("SELECT count(*) FROM v_bin") == 0


async def test_every_view_is_a_security_barrier_and_no_account_of_somebody_else_is_taken_over(
    connection: asyncpg.Connection,
) -> None:
    open_ones = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'v' AND relname LIKE 'v\\_%'"
        " AND NOT coalesce(reloptions::text[] @> ARRAY['security_barrier=true'], false)"
        " AND relnamespace = 'public'::regnamespace"
    )

    assert [row["relname"] for row in open_ones] == []
    with pytest.raises(asyncpg.RaiseError, match="is not a reader of ours"):
        await connection.execute("SELECT keep_reader('postgres', NULL, 'secret')")
    with pytest.raises(asyncpg.RaiseError, match="there is no municipality"):
        await connection.execute("SELECT keep_reader('nabd_grafana_x', 'atlantis', 'secret')")
