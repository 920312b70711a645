"""Health, readiness, metrics, the ledger and what is declared."""

from __future__ import annotations

import asyncpg
import httpx2

from api.app import create_app
from tests.integration.api import builders


async def test_readyz_names_the_part_that_is_missing(pool: asyncpg.Pool) -> None:
    async def broker() -> str | None:
        return "connection refused"

    await builders.let_in(pool)
    app = create_app(
        pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False, checks={"broker": broker}
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://localhost", headers=builders.BEARER
    ) as client:
        answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "parts": {"database": "ok", "broker": "connection refused"}}


async def test_readyz_says_so_when_the_database_is_away(
    client: httpx2.AsyncClient, own_pool: asyncpg.Pool
) -> None:
    assert (await client.get("/readyz")).json()["ready"] is True
    own_pool.terminate()

    answer = await client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"]["database"] != "ok"
    assert (await client.get("/healthz")).status_code == 200


async def test_metrics_count_requests_by_route(client: httpx2.AsyncClient) -> None:
    await client.get("/api/v1/devices/nobody")

    answer = await client.get("/metrics")
    text = answer.text

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    assert 'nabd_http_requests_total{method="GET",route="/devices/{device}",status="404"} 1.0' in text


async def test_kinds_are_declared_with_units_and_labels(client: httpx2.AsyncClient) -> None:
    items = (await client.get("/api/v1/kinds")).json()["items"]
    assert {kind["name"]: kind["verify_within"] for kind in items}["light"] == "2 nights"

    kind = {item["name"]: item for item in items}["bin"]
    fill = {m["name"]: m for m in kind["measurements"]}["fill_pct"]
    assert (fill["unit"], fill["low"], fill["high"]) == ("%", 0, 100)
    assert set(fill["label"]) == {"en", "fr", "ar"}
    assert kind["panels"]


async def test_municipalities_are_listed(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    await builders.add_town(connection)

    (town,) = (await client.get("/api/v1/municipalities")).json()["items"]

    assert (town["name"], town["locale"], town["title"]["ar"]) == ("tripoli", "ar-LB", "طرابلس")


async def test_ledger_balances(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    await connection.execute(
        """
        INSERT INTO ledger (
            shard, batch, received_at, messages, received, stored, duplicate, rejected, undated
        )
        VALUES ('main', 1, $1, 3, 10, 7, 2, 1, 0)
        """,
        builders.NOON,
    )
    await connection.execute("INSERT INTO ledger_device VALUES ('main', 1, 'bin-1', 'bad_value', 1)")

    totals = (await client.get("/api/v1/ledger")).json()["totals"]

    assert (totals["received"], totals["stored"], totals["rejected"]) == (10, 7, 1)
    assert totals["reasons"] == {"bad_value": 1}
    assert totals["balanced"] is True


async def test_rejections_show_reason_and_payload(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        """
        INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
        VALUES ('main', 1, $1, 'nabd/v1/tripoli/bin/bin-1/telemetry', 'bin-1', 'malformed', '', 'not JSON',
        $2)
        """,
        builders.NOON,
        b"{\xff",
    )

    (item,) = (await client.get("/api/v1/rejections?device=bin-1")).json()["items"]

    assert (item["reason"], item["payload"], item["payload_bytes"]) == ("malformed", "{\ufffd", 2)


async def test_openapi_describes_the_routes_outsiders_rely_on(client: httpx2.AsyncClient) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]

    for path in (
        "devices",
        "devices/{device}",
        "devices/{device}/readings",
        "rejections",
        "alerts",
        "stream",
    ):
        assert f"/api/v1/{path}" in paths
    assert "post" in paths["/api/v1/alerts/{alert_id}/acknowledge"]
    assert {"/healthz", "/readyz", "/metrics"} <= set(paths)
