"""No request that changes something is answered with success and leaves nothing in the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from tests.integration.api import builders
from tests.integration.api.access.audited_cases import BY_PEOPLE, CASES, CHANGING, UNAUDITED
from tests.integration.api.conftest import bearing


def operations(app: FastAPI) -> set[str]:
    """Return every operation of the application that changes something."""
    paths = app.openapi()["paths"]
    return {f"{method} {path}" for path, methods in paths.items() for method in methods if method in CHANGING}


async def test_every_operation_that_changes_something_is_tried(app: FastAPI) -> None:
    assert operations(app) == CASES.keys() | UNAUDITED.keys() | BY_PEOPLE


async def test_each_change_leaves_rows_that_say_who_and_from_where(
    pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    token = await builders.token(connection, "waste office")
    told: dict[str, list[str]] = {}

    async with bearing(pool, token, tmp_path) as client:
        for number, (operation, (prepare, request, _)) in enumerate(CASES.items()):
            name = f"thing-{number}"
            row = str(await prepare(connection, name))
            last = await connection.fetchval("SELECT coalesce(max(id), 0) FROM audit")
            method, path = operation.split(" ")
            routed = {"team": name, "schedule": name, "override": row, "source": name}
            dated = {"day": "2026-12-24", "year": 1447}
            place = {**routed, **dated, "municipality": "tripoli", "layer": "districts"}
            numbers = dict.fromkeys(
                (
                    "token",
                    "alert_id",
                    "window",
                    "silence",
                    "plan",
                    "work_plan",
                    "order",
                    "rollout",
                    "subscription",
                ),
                row,
            )
            url = path.format(device=name, unknown=name, rule=name, user=name, **numbers, **place)
            answer = await client.request(method.upper(), url, **_named(request, name, row))
            assert answer.is_success, f"{operation}: {answer.text}"

            listed = (await client.get("/api/v1/audit", params={"who": "waste office"})).json()["items"]
            new = [row for row in reversed(listed) if row["id"] > last]
            told[operation] = [row["action"] for row in new]
            assert {row["address"] for row in new} <= {"127.0.0.1"}
            assert all(row["before"] != row["after"] for row in new), operation

    assert told == {operation: actions for operation, (_, _, actions) in CASES.items()}


def _named(request: dict[str, Any], name: str, row: str) -> dict[str, Any]:
    """Return a request with NAME and the number ROW replaced in its body."""
    if isinstance(request.get("content"), bytes):
        return request
    named: dict[str, Any] = json.loads(json.dumps(request).replace("NAME", name).replace('"ROW"', row))
    return named


async def test_refused_change_leaves_no_row(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1", lat=34.4367, lon=35.8497)
    before = await connection.fetchval("SELECT count(*) FROM audit")

    answer = await client.patch("/api/v1/devices/bin-1", json={"lat": 20.0, "title": "Souk"})

    assert answer.status_code == 422
    assert await connection.fetchval("SELECT count(*) FROM audit") == before


async def test_audit_is_read_by_page_as_ndjson_and_verified(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for name in ("bin-1", "bin-2", "bin-3"):
        await builders.add(connection, name)

    page = await client.get("/api/v1/audit?limit=2&action=device")
    following = await client.get(page.json()["next"])
    lines = (await client.get("/api/v1/audit?format=ndjson&municipality=tripoli")).text.splitlines()
    verified = (await client.get("/api/v1/audit/verify")).json()

    subjects = [[row["subject"] for row in answer.json()["items"]] for answer in (page, following)]
    assert subjects == [["bin-3", "bin-2"], ["bin-1"]]
    assert [json.loads(line)["subject"] for line in lines] == ["bin-1", "bin-2", "bin-3"]
    assert verified == {"chains": 1, "rows": 3, "complete": True, "problems": []}
    assert (await client.get("/api/v1/audit/verify?month=2026-13")).status_code == 422


async def test_move_stands_in_both_municipalities(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    await builders.add_town(connection, "saida")

    await client.patch("/api/v1/devices/bin-1", json={"municipality": "saida"})

    for town in ("tripoli", "saida"):
        (row, *_) = (await client.get("/api/v1/audit", params={"municipality": town})).json()["items"]
        assert (row["action"], row["before"], row["after"]) == (
            "device.move",
            {"municipality": "tripoli"},
            {"municipality": "saida"},
        )
