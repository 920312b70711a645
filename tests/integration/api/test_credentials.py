"""Credentials of devices by the API: told once, to who manages devices there, and refused with the reason."""

from __future__ import annotations

import asyncpg
import httpx2

from devices.credentials import scheme
from devices.registry.editing import retire_device
from store.audit import PLATFORM
from tests.integration.api import builders


async def test_password_is_told_once_rotated_and_revoked(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    path = "/api/v1/devices/bin-1/credentials"

    assert (await client.get(path)).json() == {"items": []}
    first = await client.post(path, json={})
    assert first.status_code == 201
    made = first.json()
    kept = await connection.fetchval("SELECT password_hash FROM device_credential")
    assert scheme.verify(made["password"], kept)
    assert (made["username"], made["before_until"]) == ("bin-1", None)
    second = (await client.post(path, json={"overlap_hours": 24})).json()
    assert second["before_until"] is not None

    listed = (await client.get(path)).json()["items"]
    assert [(one["works"], one["ending"]) for one in listed] == [(True, None), (True, "rotated")]
    assert made["password"] not in str(listed)
    assert (await client.post(f"{path}/revoke")).json() == {"revoked": 2}
    again = await client.post(f"{path}/revoke")
    assert (again.status_code, "no credential that works" in again.text) == (409, True)


async def test_what_cannot_be_is_refused_with_the_reason(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for name in ("bin-1", "urn:bin:2", "bin-3"):
        await builders.add(connection, name)
    await builders.add(connection, "light-1", kind="light")
    await retire_device(connection, "bin-3", "stolen", builders.now, by=PLATFORM)

    for name, body, status, said in (
        ("bin-9", {}, 404, "bin-9"),
        ("urn:bin:2", {}, 422, "--certificate"),
        ("bin-3", {}, 409, "retired"),
        ("bin-1", {"overlap_hours": 9000}, 422, "overlap_hours"),
        ("bin-1", {"password": "mine"}, 422, "password"),
    ):
        answer = await client.post(f"/api/v1/devices/{name}/credentials", json=body)
        assert answer.status_code == status, answer.text
        assert said in answer.text
    assert await connection.fetchval("SELECT count(*) FROM device_credential") == 0

    bulk = (
        await client.post("/api/v1/device-credentials", json={"municipality": "tripoli", "kind": "bin"})
    ).json()
    assert ([one["device"] for one in bulk["items"]], bulk["left"]) == (["bin-1"], 1)
    rest = (await client.post("/api/v1/device-credentials", json={"municipality": "tripoli"})).json()
    assert [one["device"] for one in rest["items"]] == ["light-1"]
    none = (await client.post("/api/v1/device-credentials", json={"municipality": "tripoli"})).json()
    assert none == {"items": [], "left": 1}
