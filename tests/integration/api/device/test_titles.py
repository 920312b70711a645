"""What a device is called in each language, wherever it is shown and searched."""

from __future__ import annotations

import asyncpg
import httpx2

from tests.integration.api import builders

DEVICE = "/api/v1/devices/bin-1"
TITLES = {"ar": "ساحة التل", "fr": "Place El-Tall"}


async def test_device_is_registered_changed_and_found_by_each_of_its_titles(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    new = {"name": "bin-1", "kind": "bin", "municipality": "tripoli", "title": "Al-Tall square"}

    added = await client.post("/api/v1/devices", json={**new, "titles": TITLES})
    refused = await client.patch(DEVICE, json={"titles": {"es": "Plaza"}}, headers={"If-Match": '"1"'})
    changed = await client.patch(
        DEVICE, json={"titles": {"fr": "", "en": "Al-Tall"}}, headers={"If-Match": '"1"'}
    )
    found = [
        [one["name"] for one in (await client.get(f"/api/v1/{path}", params=asked)).json()["items"]]
        for path, asked in (
            ("devices", {"search": "ساحه"}),
            ("devices", {"search": "place"}),
            ("standings", {"words": "التل"}),
            ("standings", {"words": "AL-TALL"}),
        )
    ]

    assert (added.status_code, added.json()["titles"]) == (201, TITLES)
    assert refused.status_code == 422
    assert changed.json()["titles"] == {"ar": "ساحة التل", "en": "Al-Tall"}
    assert (await client.get(DEVICE)).json()["title"] == "Al-Tall square"
    assert found == [["bin-1"], [], ["bin-1"], ["bin-1"]]


async def test_titles_with_quotes_are_found_and_one_refused_is_named(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    said = {"ar": 'سوق "الحراج"', "fr": 'Souk "El-Haraj"', "en": "Back\\slash"}
    await builders.add(connection, "bin-1", title="Souk", titles=said)

    refused = await client.patch(DEVICE, json={"titles": {"ar": "سوق\u202e"}}, headers={"If-Match": '"1"'})
    found = [
        len((await client.get("/api/v1/devices", params={"search": words})).json()["items"])
        for words in ('سوق "الحراج"', 'souk "el', "back\\sl", '",')
    ]

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/titles/ar")
    assert found == [1, 1, 1, 0]


async def test_alerts_orders_and_the_map_have_the_titles_of_their_device(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(
        connection, "bin-1", title="Al-Tall square", titles=TITLES, lat=34.43, lon=35.84
    )
    alert = await builders.fire(connection, device)
    await connection.execute(
        """UPDATE rule SET definition = '{"summary": {"en": "{device} is full", "ar": "{device} ممتلئ"}}'"""
    )

    queued = (await client.get(f"/api/v1/alerts/{alert}")).json()
    made = await client.post("/api/v1/work-orders", json={"alerts": [alert]})
    order = (await client.get(made.headers["location"])).json()
    west_south_east_north = "35.8,34.4,35.9,34.5"
    marks = (await client.get("/api/v1/map", params={"bbox": west_south_east_north, "zoom": 18})).json()

    assert queued["device_titles"] == order["device_titles"] == TITLES
    assert queued["summary"] == {"en": "Al-Tall square is full", "ar": "ساحة التل ممتلئ"}
    assert [one["titles"] for one in marks["devices"]] == [TITLES]
