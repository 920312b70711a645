"""Devices over HTTP: pages, versions, bad input."""

from __future__ import annotations

import asyncpg
import httpx2

from tests.integration.api import builders


async def test_devices_are_read_page_by_page_when_there_are_more_than_the_limit(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for i in range(5):
        await builders.add(connection, f"bin-{i}")

    names: list[str] = []
    url: str | None = "/api/v1/devices?limit=2&kind=bin"
    pages = 0
    while url:
        answer = await client.get(url)
        assert answer.status_code == 200
        names += [item["name"] for item in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
        assert url == answer.json()["next"]
        pages += 1

    assert names == [f"bin-{i}" for i in range(5)]
    assert pages == 3


async def test_device_is_registered_and_found_at_its_location(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    new = {
        "name": "bin-1",
        "kind": "bin",
        "municipality": "tripoli",
        "title": "Square",
        "lat": 34.4,
        "lon": 35.8,
    }

    added = await client.post("/api/v1/devices", json=new)
    found = await client.get(added.headers["location"])

    assert added.status_code == 201
    assert found.json()["title"] == "Square"
    assert found.headers["etag"] == added.headers["etag"] == '"1"'


async def test_device_edit_is_refused_when_somebody_changed_it_meanwhile(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    tag = (await client.get("/api/v1/devices/bin-1")).headers["etag"]

    first = await client.patch("/api/v1/devices/bin-1", json={"title": "one"}, headers={"If-Match": tag})
    second = await client.patch("/api/v1/devices/bin-1", json={"title": "two"}, headers={"If-Match": tag})

    assert (first.status_code, first.json()["title"]) == (200, "one")
    assert second.status_code == 412
    assert second.json()["type"] == "urn:nabd:problem:changed-meanwhile"
    assert (await client.get("/api/v1/devices/bin-1")).json()["title"] == "one"


async def test_device_is_retired_once_with_a_reason(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")

    first = await client.post("/api/v1/devices/bin-1/retire", json={"reason": "stolen"})
    second = await client.post("/api/v1/devices/bin-1/retire", json={"reason": "stolen"})

    assert (first.status_code, first.json()["retired_reason"]) == (200, "stolen")
    assert second.status_code == 409
    assert (await client.get("/api/v1/devices")).json()["items"] == []
    assert len((await client.get("/api/v1/devices?retired=true")).json()["items"]) == 1


async def test_list_answers_304_when_the_reader_has_it_already(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    first = await client.get("/api/v1/devices")

    again = await client.get("/api/v1/devices", headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 304
    assert again.content == b""


async def test_list_keeps_only_the_fields_asked_for(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")

    some = await client.get("/api/v1/devices?fields=name,kind")
    wrong = await client.get("/api/v1/devices?fields=colour")

    assert some.json()["items"] == [{"name": "bin-1", "kind": "bin"}]
    assert wrong.status_code == 422


async def test_planned_device_that_speaks_says_so_until_it_is_installed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", planned=True)
    await builders.add(connection, "bin-2")
    await builders.report(connection, device, fill_pct=10.0)

    (listed,) = (await client.get("/api/v1/devices?life=planned")).json()["items"]
    shown = (await client.get("/api/v1/devices/bin-1")).json()
    installed = await client.post("/api/v1/devices/bin-1/install", json={})
    again = await client.post("/api/v1/devices/bin-1/install", json={})

    assert listed == shown
    assert (shown["life"], shown["installed_at"]) == ("planned", None)
    assert "nabd device install bin-1" in shown["hint"]
    assert (installed.json()["life"], installed.json()["hint"]) == ("installed", None)
    assert (again.status_code, again.json()["type"]) == (409, "urn:nabd:problem:conflict")


async def test_hardware_is_replaced_and_its_history_told(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1", serial="SN-1")

    replaced = await client.post("/api/v1/devices/bin-1/hardware", json={"serial": "SN-2", "reason": "old"})
    wrong = await client.post("/api/v1/devices/bin-1/hardware", json={"serial": "SN-2"})
    history = (await client.get("/api/v1/devices/bin-1/hardware")).json()

    assert (replaced.json()["serial"], replaced.json()["wire_name"]) == ("SN-2", "bin-1")
    assert wrong.status_code == 422
    assert [(h["serial"], h["removed_reason"]) for h in history] == [("SN-2", ""), ("SN-1", "old")]
