"""The provisioned dashboard against a migrated database, through the account that Grafana has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml

ROOT = Path(__file__).parents[3]
GRAFANA = ROOT / "deploy/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards/overview.json").read_text(encoding="utf-8"))
ACCOUNT = (ROOT / "deploy/database/grafana.sql").read_text(encoding="utf-8")
QUERIES = {
    f"{panel['id']} {panel['title']}": target["rawSql"]
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", [])
} | {variable["name"]: variable["query"] for variable in DASHBOARD["templating"]["list"]}


def as_sent(sql: str) -> str:
    """Return a query as Grafana's PostgreSQL data source sends it."""
    span = "'2026-03-01T00:00:00Z' AND '2026-03-02T00:00:00Z'"
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 BETWEEN {span}", sql)
    sql = re.sub(
        r"\$__timeGroupAlias\((\w+), \$__interval\)",
        r"""floor(extract(epoch FROM \1) / 300) * 300 AS "time\"""",
        sql,
    )
    sql = sql.replace("$municipality", "'tripoli', 'sfax'")
    assert "$" not in sql, sql
    return sql


@pytest.fixture
async def grafana(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection that has given up its rights for those of Grafana's account."""
    await connection.execute("SELECT set_config('nabd.grafana_password', 'secret', false)")
    await connection.execute(ACCOUNT)
    await connection.execute(ACCOUNT)  # after every migration, so it must bear repetition
    await connection.execute("SET ROLE nabd_grafana")
    return connection


async def test_queries_of_the_dashboard_run(grafana: asyncpg.Connection) -> None:
    wrong = {}
    for name, query in QUERIES.items():
        try:
            await grafana.fetch(as_sent(query))
        except asyncpg.PostgresError as error:
            wrong[name] = str(error)

    assert len(QUERIES) > 10
    assert wrong == {}


async def test_grafana_reads_views_only_and_writes_nothing_by_default(grafana: asyncpg.Connection) -> None:
    for table in ("token", "device", "alert", "rejection", "bin_reading"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await grafana.fetch(f"SELECT * FROM {table}")

    await grafana.execute("RESET ROLE")
    settings = await grafana.fetchval("SELECT rolconfig FROM pg_roles WHERE rolname = 'nabd_grafana'")

    assert set(settings) == {"default_transaction_read_only=on", "statement_timeout=30s"}


def test_dashboard_is_what_the_declarations_say() -> None:
    outcome = subprocess.run([sys.executable, ROOT / "scripts/dashboard", "--check"], check=False)

    assert outcome.returncode == 0, "run scripts/dashboard"


def test_dashboard_names_the_provisioned_source_and_has_every_panel_once() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/nabd.yaml").read_text())["datasources"]
    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert used == {source["uid"]}
    assert len(ids) == len(set(ids))
    assert DASHBOARD["schemaVersion"] == 42


def test_dashboards_are_provisioned_from_where_compose_mounts_them() -> None:
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/nabd.yaml").read_text())["providers"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]

    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in compose["volumes"]
