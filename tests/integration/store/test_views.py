"""The views are one contract: the same columns and answers in both editions."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from store.migrate import migrate
from store.versions import load
from tests.readings_tables import KITES, insert, microseconds

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)

COLUMNS = {
    "v_device": (
        "device_id device municipality kind parent title lat lon attributes retired_at retired_reason"
        " online online_changed_at observed_at received_at interval_s quality measurements life"
        " installed_at relays district district_title street street_title"
    ),
    "v_alert": (
        "alert_id device municipality kind rule rule_version state severity opened_at detected_at resolved_at"
        " acknowledged_at acknowledged_by summary evidence lat lon inhibited_by held_until district"
        " assigned_to"
    ),
    "v_ledger": "day shard source batches messages received stored duplicate rejected undated empty merged",
    "v_kite": (
        "device_id device municipality observed_at received_at quality boot seq extra height_m flying mode"
    ),
}

TOWN = """
INSERT INTO municipality (name) VALUES ('saida');
INSERT INTO device (name, municipality_id, kind) VALUES ('cabinet-1', 1, 'cabinet');
INSERT INTO device (name, municipality_id, kind, parent_id) VALUES ('kite-1', 1, 'kite', 1);
INSERT INTO rule (id, version, definition, created_at) VALUES ('low', 1, '{}', '2026-11-01Z');
INSERT INTO alert (rule, rule_version, device_id, state, severity, opened_at, detected_at, summary, evidence)
VALUES ('low', 1, 2, 'firing', 'minor', '2026-11-18Z', '2026-11-18Z', '{"en": "Low"}', '{}');
INSERT INTO ledger (shard, batch, received_at, messages, received, stored, duplicate, rejected, undated)
VALUES
('main', 1, '2026-11-17 23:59:59.9Z', 1, 3, 2, 1, 0, 0),
('main', 2, '2026-11-18 00:00:00Z', 2, 4, 4, 0, 0, 0),
('main', 3, '2026-11-18 23:59:00Z', 1, 1, 0, 0, 1, 0);
"""


@pytest.fixture
async def town(empty: asyncpg.Connection) -> asyncpg.Connection:
    """A town with one kite, one reading, one alert and three batches, once for each edition."""
    await migrate(empty, [KITES], now=microseconds(NOON))
    await empty.execute(TOWN)
    await insert(empty, [NOON], device_id=2)
    return empty


async def test_views_have_the_same_columns_in_both_editions(town: asyncpg.Connection) -> None:
    for view, columns in COLUMNS.items():
        statement = await town.prepare(f"SELECT * FROM {view}")
        assert " ".join(a.name for a in statement.get_attributes()) == columns


async def test_views_name_device_and_municipality(town: asyncpg.Connection) -> None:
    reading = await town.fetchrow("SELECT device, municipality, observed_at, height_m FROM v_kite")
    device = await town.fetchrow("SELECT municipality, parent, online FROM v_device WHERE device = 'kite-1'")
    alert = await town.fetchrow("SELECT device, municipality, kind, summary FROM v_alert")

    assert reading is not None
    assert device is not None
    assert alert is not None
    assert tuple(reading) == ("kite-1", "saida", NOON, 5.0)
    assert tuple(device) == ("saida", "cabinet-1", None)
    assert tuple(alert) == ("kite-1", "saida", "kite", {"en": "Low"})


async def test_ledger_is_summed_by_day_of_utc(town: asyncpg.Connection) -> None:
    rows = await town.fetch("SELECT day, batches, received, stored FROM v_ledger ORDER BY day")

    day = datetime(2026, 11, 17, tzinfo=UTC)
    assert [tuple(row) for row in rows] == [(day, 1, 3, 2), (day + timedelta(days=1), 2, 5, 4)]

    await town.execute(
        "INSERT INTO ledger_day VALUES ('main', '2026-11-17Z', 'broker', 8, 9, 7, 6, 1, 0, 0, 0),"
        " ('main', '2025-11-17Z', 'broker', 5, 4, 3, 2, 1, 0, 0, 0)"
    )
    sums = await town.fetch("SELECT sum(batches), sum(stored) AS s FROM v_ledger GROUP BY day ORDER BY day")
    assert [tuple(row) for row in sums] == [(5, 2), (9, 8), (2, 4)]
    types = await town.prepare("SELECT batches, messages, empty FROM v_ledger")
    assert {attribute.type.name for attribute in types.get_attributes()} == {"int8"}


async def test_view_that_others_build_on_survives_a_second_migrate(town: asyncpg.Connection) -> None:
    await town.execute("CREATE VIEW of_the_ministry AS SELECT device, height_m FROM v_kite")

    await migrate(town, [KITES], now=microseconds(NOON))

    assert await town.fetchval("SELECT count(*) FROM of_the_ministry") == 1


BEFORE_READERS = 51
ROLES = ("Kite Club", "kite_flyer", "kite_reader")
OLD_ACCOUNTS = """
CREATE VIEW v_kite AS SELECT 1 AS one;
CREATE VIEW v_mine AS SELECT secret FROM (VALUES ('mine')) AS mine (secret);
CREATE VIEW v_barred WITH (security_barrier) AS SELECT 1 AS one;
CREATE ROLE "Kite Club" NOLOGIN;
CREATE ROLE kite_flyer IN ROLE "Kite Club";
GRANT SELECT ON v_kite, v_mine TO "Kite Club";
"""
READABLE = """
SELECT c.relname FROM pg_class AS c
WHERE c.relkind = 'v' AND c.relname LIKE 'v\\_%' AND has_table_privilege($1, c.oid, 'SELECT')
"""


async def test_accounts_from_before_keep_their_views_and_new_ones_read_only_views_that_ask_who_reads(
    empty: asyncpg.Connection,
) -> None:
    older = [version for version in load() if version.number <= BEFORE_READERS]
    await migrate(empty, [KITES], now=microseconds(NOON), versions=older)
    await empty.execute(TOWN)
    await insert(empty, [NOON], device_id=2)
    await empty.execute(OLD_ACCOUNTS)
    try:
        await migrate(empty, [KITES], now=microseconds(NOON))
        await empty.execute("SELECT keep_reader('kite_reader', 'saida', 'secret')")
        readable = {role: {row["relname"] for row in await empty.fetch(READABLE, role)} for role in ROLES}
        seen = {}
        for role in ROLES:
            await empty.execute(f'SET ROLE "{role}"')
            seen[role] = await empty.fetchval("SELECT count(*) FROM v_kite")
            await empty.execute("RESET ROLE")
        with pytest.raises(asyncpg.RaiseError, match="is not a reader of ours"):
            await empty.execute("SELECT keep_reader('Kite Club', 'saida', 'secret')")
    finally:
        await empty.execute("RESET ROLE")
        for role in ROLES:
            await empty.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')

    assert readable["Kite Club"] == readable["kite_flyer"] == {"v_kite", "v_mine"}
    assert readable["kite_reader"] >= {"v_kite", "v_device"}
    assert readable["kite_reader"].isdisjoint({"v_mine", "v_barred"})
    assert seen == dict.fromkeys(ROLES, 1)
