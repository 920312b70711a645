"""A database of an older commit, with data: migrated by the code of today, it answers as before.

Once for each edition. The databases and how they were made are in tests/golden/databases.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from devices.instants import to_datetime
from devices.kinds import load as load_kinds
from nabd import rollups
from nabd.cli import app
from nabd.embedded.postgres import EmbeddedPostgres
from people import tokens
from readings.rollups import backfill
from rules.catalogue import catalogue
from rules.sweeps.leader import sweep_once
from store.pool import connect
from store.versions import load as load_versions
from tests import databases
from tests.integration.rules.ingestion import Ingestion, bins
from tests.timescale_server import CLEAR

OLD = Path(__file__).parents[2] / "golden/databases/4231ab5"
ANSWERS: dict[str, Any] = json.loads((OLD / "answers.json").read_text(encoding="utf-8"))
NOW: int = ANSWERS["now"]
RAN_UP_TO = 11
"""The last migration of that commit."""
MINUTE = 60_000_000
SETTINGS = {"NABD_CLOCK": f"0:{NOW}:0", "NABD_RETENTION_DAYS": "28"}
KINDS = load_kinds()
COMPRESS = (
    "SELECT compress_chunk(c) FROM show_chunks('bin_reading', older_than => timestamptz '2026-06-01Z') AS c"
)
"""As the policy of that edition does with readings older than two weeks."""
RELAYED: dict[str, Any] = {"parent": None, "parent_id": None}
"""A gateway was the parent of whatever it relays; today it is among its relays."""


async def _load(dsn: str, edition: str) -> None:
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        for file in (f"{edition}.sql", "rows.sql"):
            # One by one: the server in WebAssembly takes no large message.
            statements = (OLD / file).read_text(encoding="utf-8").removesuffix(";\n").split(";\n")
            for statement in statements:
                await connection.execute(statement)
        if edition == "timescale":
            assert await connection.fetch(COMPRESS)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def plain_old(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    name = databases.create_database(postgres_server)
    yield postgres_server.dsn(name)
    databases.drop_database(postgres_server, name)


@pytest.fixture(scope="module")
def timescale_old(empty_timescale: str) -> str:
    databases.run(databases.execute(empty_timescale, CLEAR))
    return empty_timescale


@pytest.fixture(scope="module", params=["plain", "timescale"])
def old(request: pytest.FixtureRequest) -> str:
    """Address of the old database as it was, of one edition."""
    dsn: str = request.getfixturevalue(f"{request.param}_old")
    databases.run(_load(dsn, request.param))
    return dsn


def nabd(dsn: str, command: str) -> list[Any]:
    """Return the JSON lines that a command prints, at the instant at which the old code was asked."""
    done = CliRunner().invoke(app, command.split(), env={**SETTINGS, "NABD_DATABASE": dsn})
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def migrations(old: str) -> list[dict[str, Any]]:
    """What `nabd migrate` reports of the old database, the first time and the second."""
    return [*nabd(old, "migrate --json"), *nabd(old, "migrate --json")]


@pytest.fixture(scope="module")
def migrated(old: str, migrations: list[dict[str, Any]]) -> str:
    """Address of the old database, migrated."""
    assert migrations
    return old


@pytest.fixture
async def connection(migrated: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the migrated database; what is written through it is taken back."""
    connection = await connect(migrated)
    await connection.execute("SET timezone TO 'UTC'")
    attempt = connection.transaction()
    await attempt.start()
    yield connection
    await attempt.rollback()
    await connection.close(timeout=5)


def test_migrate_applies_what_has_come_since_and_then_nothing(migrations: list[dict[str, Any]]) -> None:
    first, second = migrations
    since = [str(v) for v in load_versions() if v.number > RAN_UP_TO]

    assert sorted([*first["applied"], *first["not_applicable"]]) == since
    assert not any(second[part] for part in second if part != "edition")


@pytest.mark.parametrize("view", ANSWERS["views"])
async def test_view_answers_as_before(connection: asyncpg.Connection, view: str) -> None:
    columns, rows = ANSWERS["views"][view]["columns"], ANSWERS["views"][view]["rows"]

    answers = [json.loads(r[0]) for r in await connection.fetch(f"SELECT to_jsonb(v)::text FROM {view} AS v")]

    assert rows
    assert sorted(([answer[c] for c in columns] for answer in answers), key=json.dumps) == rows


@pytest.mark.parametrize("command", ANSWERS["commands"])
def test_command_answers_as_before(migrated: str, command: str) -> None:
    known = [
        one | RELAYED if command.startswith("device list") and one["parent"] == "G1" else one
        for one in ANSWERS["commands"][command]
    ]

    assert _without_news(nabd(migrated, command), known) == known


def _without_news(found: Any, known: Any) -> Any:
    """Return a document without the keys that a known one does not have."""
    if isinstance(found, dict) and isinstance(known, dict):
        return {key: _without_news(found[key], value) for key, value in known.items() if key in found}
    if isinstance(found, list) and isinstance(known, list) and len(found) == len(known):
        return [_without_news(f, k) for f, k in zip(found, known, strict=True)]
    return found


def test_gateway_that_was_a_parent_relays_today(migrated: str) -> None:
    behind = nabd(migrated, "device list --relay G1 --json")

    assert [(one["name"], one["relays"]) for one in behind] == [("B9", ["G1"])]
    assert nabd(migrated, "device list --parent G1 --json") == behind


def test_every_device_is_its_first_hardware(migrated: str) -> None:
    (one,) = nabd(migrated, "device hardware B9 --json")

    assert (one["wire_name"], one["serial"], one["removed_at"]) == ("B9", None, None)


async def test_every_rule_in_force_is_still_understood(connection: asyncpg.Connection) -> None:
    active = await catalogue.active(connection, KINDS)

    assert active.unusable == {}
    assert {rule.id for rule in active.rules} >= {"bin-overflow", "light-over-voltage", "silent"}


async def test_authors_of_former_times_are_principals_that_keep_their_names(
    connection: asyncpg.Connection,
) -> None:
    notes = await connection.fetch(
        "SELECT n.type, p.kind, p.name FROM alert_note AS n LEFT JOIN principal AS p ON n.author_id = p.id"
        " ORDER BY n.id"
    )
    names = [
        row["name"] for row in await connection.fetch("SELECT name FROM principal WHERE name IS NOT NULL")
    ]

    assert [(n["type"], n["kind"], n["name"]) for n in notes if n["kind"]] == [
        ("acknowledged", "former", "amal"),
        ("comment", "former", "amal"),
        ("comment", "former", "كريم"),
    ]
    assert {n["type"] for n in notes if not n["kind"]} <= {"inhibited", "surfaced"}
    assert len(names) == len(set(names))
    assert {"nabd", "amal", "karim", "كريم", "operator"} <= set(names)


async def test_tokens_of_former_times_keep_all_rights_for_ninety_days(
    connection: asyncpg.Connection,
) -> None:
    found = await tokens.list_tokens(connection)

    assert [(t.name, t.role, t.municipality) for t in found] == [
        ("first", "admin", None), ("grafana", "admin", None),
    ]  # fmt: skip
    left = [await connection.fetchval("SELECT $1::timestamptz - now()", t.expires_at) for t in found]
    assert all(timedelta(days=89) < span <= timedelta(days=90) for span in left)
    principals = await connection.fetch("SELECT kind FROM principal AS p JOIN token ON principal_id = p.id")
    assert [row["kind"] for row in principals] == ["token", "token"]


async def test_a_rule_goes_on_where_the_old_program_left_it(connection: asyncpg.Connection) -> None:
    """Bin B4 has lain on its side for four minutes of the ten after which the rule alerts."""
    device = await connection.fetchval("SELECT id FROM device WHERE name = 'B4'")
    ingestion = await Ingestion(connection).start()
    lying = {"tilt_deg": 88.0, "temperature_c": 22.0, "fill_pct": 55.0}

    for minutes in (3, 6):
        await ingestion.commit(bins([(device, NOW + minutes * MINUTE, lying)], NOW + minutes * MINUTE))

    opened = await connection.fetchval(
        "SELECT opened_at FROM alert WHERE rule = 'bin-tipped' AND device_id = $1", device
    )
    assert opened == to_datetime(NOW + 6 * MINUTE)


async def test_a_sweep_at_the_same_instant_finds_nothing_new(connection: asyncpg.Connection) -> None:
    before = await connection.fetch("SELECT id, state, inhibited_by FROM alert ORDER BY id")

    await sweep_once(connection, KINDS, NOW)

    assert await connection.fetch("SELECT id, state, inhibited_by FROM alert ORDER BY id") == before


async def test_hours_and_days_of_its_readings_are_made(connection: asyncpg.Connection) -> None:
    while await rollups.turn(connection, list(KINDS.values()), lambda: NOW):
        pass

    assert {one.share for one in await backfill.progress(connection)} == {1.0}
    for kind in KINDS:
        stored = await connection.fetchval(f"SELECT count(*) FROM {kind}_reading")
        assert await connection.fetchval(f"SELECT coalesce(sum(readings), 0) FROM v_{kind}_hour") == stored
        assert await connection.fetchval(f"SELECT coalesce(sum(readings), 0) FROM v_{kind}_day") == stored
