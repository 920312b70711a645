"""A banned device is let in by nobody and nothing; a note on a device stays as it was written."""

from __future__ import annotations

import asyncpg
import httpx2
import pytest

from devices.registry import bans, notes, registration
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.registration import NewDevice
from devices.registry.registry import load
from devices.wire.rejected import Reason
from ingest.decide.directory import Directory
from readings import quarantine
from store.audit import PLATFORM
from tests.integration.api import builders


async def test_banned_device_is_let_in_by_nobody(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await connection.execute("UPDATE municipality SET register_unknown = true")
    await builders.reject(connection, "bin-666")

    made = await client.post("/api/v1/quarantine/bin-666/ban", json={"reason": "not <b>ours</b>"})

    assert made.status_code == 201
    assert (made.json()["municipality"], made.json()["reason"]) == ("tripoli", "not <b>ours</b>")
    assert await quarantine.unknown_devices(connection) == []
    assert (await client.get("/api/v1/quarantine")).json()["items"] == []
    listed = (await client.get("/api/v1/banned-devices")).json()["items"]
    assert [one["name"] for one in listed] == ["bin-666"]
    new = {"name": "bin-666", "kind": "bin", "municipality": "tripoli"}
    refused = await client.post("/api/v1/devices", json=new)
    assert refused.status_code == 409
    assert "nabd device unban bin-666" in refused.text
    stranger = NewDevice(name="bin-666", kind="bin", municipality="tripoli")
    with pytest.raises(Conflict, match="is banned"):
        await registration.add_device(connection, builders.KINDS, stranger, builders.now, by=PLATFORM)
    with pytest.raises(AlreadyExists):
        await bans.ban(connection, "bin-666", "again", builders.now, by=PLATFORM)
    # Nor by its own message, where a municipality lets unknown ones in.
    directory = Directory(await load(connection), builders.KINDS)
    source = directory.source("nabd/v1/tripoli/bin/bin-666/telemetry")
    assert (source.refusal, source.unregistered) == (Reason.UNKNOWN_DEVICE, False)
    assert "banned" in source.detail

    assert (await client.delete("/api/v1/banned-devices/bin-666")).status_code == 204
    assert (await client.delete("/api/v1/banned-devices/bin-666")).status_code == 404
    assert [one.device for one in await quarantine.unknown_devices(connection)] == ["bin-666"]
    assert (await client.post("/api/v1/devices", json=new)).status_code == 201
    with pytest.raises(Conflict, match="registered"):
        await bans.ban(connection, "bin-666", "late", builders.now, by=PLATFORM)
    assert (await client.post("/api/v1/quarantine/bin-1/ban", json={"reason": "x"})).status_code == 404


async def test_notes_are_read_the_last_first_as_they_were_written(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    url = "/api/v1/devices/bin-1/notes"

    for body in ("The key hangs at the bakery.", "المفتاح عند الخبّاز <b>"):
        assert (await client.post(url, json={"body": body})).status_code == 201

    first = (await client.get(f"{url}?limit=1")).json()
    assert [one["body"] for one in first["items"]] == ["المفتاح عند الخبّاز <b>"]
    assert [one["body"] for one in (await client.get(first["next"])).json()["items"]] == [
        "The key hangs at the bakery."
    ]
    assert (await client.post(url, json={"body": "  "})).status_code == 422
    assert (await client.get("/api/v1/devices/bin-9/notes")).status_code == 404
    with pytest.raises(Invalid):
        await notes.write_note(connection, "bin-1", "x" * 4001, builders.now, by=PLATFORM)
    with pytest.raises(NotFound):
        await notes.list_notes(connection, "bin-9")
