"""What a migration makes of the rows that are there, in both editions."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from store.versions import load

RULES = """
INSERT INTO rule (id, version, kind, definition, active, created_at)
SELECT id, version, 'bin', definition::jsonb, active, now()
FROM (VALUES
    ('full', 1, '{"levels": {"major": "true"}, "labels": {"a": {"en": "b"}}}', false),
    ('full', 2, '{"levels": {"major": "true"}, "suppress_by": ["down", "unheard"], "settle": "1.5h"}', true),
    ('unheard', 1, '{"silent": {"missing": "3 intervals"}}', true),
    ('down', 1, '{"children_down": {"of": "light"}, "suppress_by": []}', true),
    ('stale', 1, '{"not_refreshed": {"measurement": "tilt_deg"}}', true),
    ('soon', 1, '{"family": "sweep", "forecast": {"measurement": "fill_pct", "reaches": "85"}}', true)
) AS written (id, version, definition, active)
"""


async def run_files(connection: asyncpg.Connection, first: int, last: int) -> None:
    """Run migrations alone: views need a schema of today."""
    for version in load():
        if first <= version.number <= last and version.edition is None:
            await connection.execute(version.sql)


async def test_rules_of_before_have_their_columns_filled_from_their_text(empty: asyncpg.Connection) -> None:
    await run_files(empty, 1, 11)
    await empty.execute(RULES)

    await run_files(empty, 12, 12)

    rows = {(r["id"], r["version"]): r for r in await empty.fetch("SELECT * FROM rule")}
    assert {key: row["family"] for key, row in rows.items()} == {
        ("full", 1): "stream",
        ("full", 2): "stream",
        ("unheard", 1): "silent",
        ("down", 1): "children_down",
        ("stale", 1): "not_refreshed",
        ("soon", 1): "forecast",
    }
    assert rows["full", 1]["labels"] == {"a": {"en": "b"}}
    assert (rows["full", 1]["suppress_by"], rows["full", 1]["settle"]) == ([], timedelta(minutes=5))
    assert rows["full", 2]["suppress_by"] == ["down", "unheard"]
    assert rows["full", 2]["settle"] == timedelta(hours=1.5)
    assert rows["down", 1]["suppress_by"] == []
    assert (rows["stale", 1]["measurement"], rows["stale", 1]["reaches"]) == ("tilt_deg", None)
    assert (rows["soon", 1]["measurement"], rows["soon", 1]["reaches"]) == ("fill_pct", 85.0)
