"""What is stored of a rule when it is applied."""

from __future__ import annotations

import json
from datetime import timedelta

import asyncpg

from rules.catalogue import catalogue
from rules.loading.files import default_packs, parse
from tests.integration.rules.ingestion import KINDS
from tests.integration.rules.town import NOON


async def test_apply_writes_into_columns_what_other_statements_ask_of_a_rule(
    connection: asyncpg.Connection,
) -> None:
    packs = {d.id: d for d in default_packs(KINDS)}

    await catalogue.apply(connection, packs.values(), NOON)

    rows = {r["id"]: r for r in await connection.fetch("SELECT * FROM rule")}
    assert {i: r["family"] for i, r in rows.items()} == {i: d.family for i, d in packs.items()}
    silent = {"silent", "refused", "never"}
    families = {
        "stream",
        "children_down",
        "children_apart",
        "not_refreshed",
        "neighbours",
        "forecast",
        "behind",
    }
    assert {r["family"] for r in rows.values()} == families | silent
    assert {i: tuple(r["severities"]) for i, r in rows.items()} == {i: d.severities for i, d in packs.items()}
    assert {i: tuple(r["suppress_by"]) for i, r in rows.items()} == {
        i: d.suppress_by for i, d in packs.items()
    }
    assert {i: r["labels"] for i, r in rows.items()} == {i: d.labels for i, d in packs.items()}
    assert (rows["bin-full-soon"]["measurement"], rows["bin-full-soon"]["reaches"]) == ("fill_pct", 85.0)
    assert rows["bin-temperature-missing"]["measurement"] == "temperature_c"
    assert rows["bin-overflow"]["measurement"] is None


async def test_apply_keeps_how_long_an_alert_waits_for_what_explains_it(
    connection: asyncpg.Connection,
) -> None:
    written = {
        "kind": "bin",
        "summary": {"en": "", "fr": "", "ar": ""},
        "levels": {"warning": "fill_pct > 85"},
        "suppress_by": ["gateway-down"],
    }
    rules = [{"id": "usual", **written}, {"id": "patient", "settle": "1.5h", **written}]

    await catalogue.apply(connection, parse(json.dumps(rules), KINDS), NOON)

    settle = {r["id"]: r["settle"] for r in await connection.fetch("SELECT id, settle FROM rule")}
    assert settle == {"usual": timedelta(minutes=5), "patient": timedelta(hours=1.5)}
