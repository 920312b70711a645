"""Sources by HTTP: for whoever manages the devices of their municipality, and never with their secrets."""

from __future__ import annotations

import asyncpg
import httpx2

from devices.sources import states
from devices.sources.listing import get_source, secret_of
from devices.sources.states import Counted
from people.roles import Role
from tests.integration.api import builders

LORA = {
    "name": "lora",
    "municipality": "tripoli",
    "format": "chirpstack",
    "url": "mqtts://lora.example",
    "username": "us",
    "secret": "s3cret",
}


async def test_a_source_is_added_changed_and_removed_and_its_secret_never_told(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    added = await client.post("/api/v1/sources", json=LORA)
    assert (added.status_code, added.headers["Location"]) == (201, "/api/v1/sources/lora")
    assert (added.json()["gateway"], added.json()["has_secret"], added.json()["state"]) == (
        "lora",
        True,
        None,
    )
    source = await get_source(connection, "lora")
    await states.say(
        connection, source.id, Counted(messages=2, readings=1, rejected=1), builders.now, connected=True
    )
    changed = await client.patch("/api/v1/sources/lora", json={"profile": "milesight-em310-udl"})
    listed = await client.get("/api/v1/sources")

    assert changed.json()["profile"] == "milesight-em310-udl"
    assert listed.json()["items"] == [changed.json()]
    assert listed.json()["items"][0]["state"]["readings"] == 1
    assert await secret_of(connection, source) == "s3cret"
    for answer in (added, changed, listed):
        assert "s3cret" not in answer.text
    assert "s3cret" not in str(await connection.fetch("SELECT before, after FROM audit"))
    assert (await client.delete("/api/v1/sources/lora")).status_code == 204
    assert (await client.get("/api/v1/sources/lora")).status_code == 404


async def test_what_cannot_be_a_source_is_refused_with_its_field(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)

    refused = await client.post("/api/v1/sources", json={**LORA, "format": "chirpstak"})

    assert refused.status_code == 422
    assert "chirpstack" in refused.text


async def test_sources_of_another_municipality_are_not_there(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await builders.add_town(connection, "saida")
    await client.post("/api/v1/sources", json=LORA)
    token = await builders.token(connection, role=Role.ADMIN, municipality="saida")
    theirs = {"Authorization": f"Bearer {token}"}

    assert (await client.get("/api/v1/sources", headers=theirs)).json() == {"items": []}
    assert (await client.get("/api/v1/sources/lora", headers=theirs)).status_code == 404
    assert (await client.patch("/api/v1/sources/lora", json={}, headers=theirs)).status_code == 404
    assert (await client.post("/api/v1/sources", json=LORA, headers=theirs)).status_code == 404
