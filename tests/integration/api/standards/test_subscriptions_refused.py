"""What subscriptions may not ask for, and whom they may not call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from devices.publishing.subscriptions import MOST, MOST_OF_TOWN
from devices.registry.registry import Device
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.standards.following import Follow
from tests.integration.api.standards.subscribing import (
    PATH,
    after,
    fills,
    stands,
    subscribe,
    wish,
)
from tests.unit.notify.channels.services import HttpService, http, serving

pytestmark = pytest.mark.usefixtures("reaching_here")


@pytest.mark.parametrize(
    "uri",
    [
        "http://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "http://[::1]:5432/", "http://[fd00::1]/",
        "http://2130706433.nip.invalid@10.0.0.1/", "https://user:secret@93.184.216.34/", "mqtt://93.184.216.34",
        "file:///etc/passwd", "https://", "http://93.184.216.34/", "https://[::ffff:10.0.0.1]/", "x" * 300,
    ],
)  # fmt: skip
async def test_address_that_may_not_be_called_is_refused(
    client: httpx2.AsyncClient, receiver: HttpService, uri: str
) -> None:
    answer = await client.post(PATH, json=wish(receiver, notification={"endpoint": {"uri": uri}}))

    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"].startswith("notification.endpoint.uri: ")


async def test_name_that_leads_inside_later_and_a_redirect_are_not_followed(
    app: FastAPI,
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    leads = {"moving.test": ["127.0.0.1"]}
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return leads.get(host, [host])

    app.state.context = replace(app.state.context, resolve=resolve)
    async with serving(HttpService(http(302, Location=receiver.url))) as redirecting, follow(resolve=resolve):
        away = await subscribe(client, wish(redirecting))
        moving = {"endpoint": {"uri": receiver.url.replace("127.0.0.1", "moving.test")}}
        inside = await subscribe(client, wish(receiver, notification=moving))
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await stands(client, inside, timesSent=1)
        redirected = await stands(client, away, status="failed")
        assert asked.count("moving.test") == 2, "as it was made, and once for what is told"
        leads["moving.test"] = ["10.0.0.1"]
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)
        refused = await stands(client, inside, status="failed")

    assert redirected["statusReason"].startswith("302")
    assert refused["statusReason"] == "moving.test is no public address, and not listed"
    assert fills(receiver) == [[("bin-1", 0.1)]]
    assert receiver.asked[0].headers["host"].startswith("moving.test:")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timeInterval": 60}, "timeInterval is not done here"),
        ({"scopeQ": "/a"}, "scopeQ is not done here"),
        ({"csf": "a"}, "csf is not done here"),
        ({"pretty": True}, "pretty"),
        ({"entities": None}, "entities or watchedAttributes"),
        ({"entities": [{}]}, "type, id or idPattern"),
        ({"throttling": 0}, "throttling"),
        ({"id": "urn:a/../b"}, "id"),
        ({"notification": {"format": "csv"}}, "format"),
        ({"notification": {"endpoint": {"uri": "https://a.example", "notifierInfo": []}}}, "MQTT"),
        ({"notification": {"endpoint": {"uri": "https://a.example", "accept": "text/csv"}}}, "accept"),
        (
            {
                "notification": {
                    "endpoint": {
                        "uri": "https://a.example",
                        "receiverInfo": [{"key": "Host", "value": "10.0.0.1"}],
                    }
                }
            },
            "Host",
        ),
        (
            {
                "notification": {
                    "endpoint": {
                        "uri": "https://a.example",
                        "receiverInfo": [{"key": "X-A", "value": "a\r\nHost: b"}],
                    }
                }
            },
            "value",
        ),
    ],
)
async def test_what_is_not_done_here_is_refused_by_name(
    client: httpx2.AsyncClient, receiver: HttpService, more: dict[str, Any], said: str
) -> None:
    answer = await client.post(PATH, json=wish(receiver, **more))

    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    "more",
    [
        {"q": "fillingLevel>"},
        {"geoQ": {"georel": "near", "geometry": "Point", "coordinates": [1, 2]}},
        {"entities": [{"type": "Dragon"}]},
        {"entities": [{"idPattern": "(a"}]},
        {"watchedAttributes": ["powerState"]},
        {"notification": {"attributes": ["fill_level"]}},
        {"expiresAt": "2020-01-01T00:00:00Z"},
    ],
)
async def test_what_cannot_be_understood_is_a_bad_request(
    client: httpx2.AsyncClient, receiver: HttpService, more: dict[str, Any]
) -> None:
    answer = await client.post(PATH, json=wish(receiver, **more))

    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "urn:nabd:problem:bad-request"


async def test_ids_are_taken_once_and_there_are_not_too_many(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, receiver: HttpService
) -> None:
    body = wish(receiver, id="urn:ngsi-ld:Subscription:a")
    await subscribe(client, body)
    assert (await client.post(PATH, json=body)).status_code == 409
    await connection.execute(
        "INSERT INTO ngsi_subscription (id, principal_id, document, context, is_active, created_at,"
        " changed_at, follows_from) SELECT 'urn:' || n, principal_id, document, context, true, $2, $2, $2"
        " FROM ngsi_subscription, generate_series(2, $1) AS n",
        MOST,
        NOON,
    )

    refused = await client.post(PATH, json=wish(receiver))
    page = await client.get(PATH, params={"limit": 3, "count": True})

    assert (refused.status_code, str(MOST) in refused.json()["detail"]) == (409, True)
    assert (len(page.json()), page.headers["NGSILD-Results-Count"]) == (3, str(MOST))


async def test_one_municipality_leaves_room_for_others(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, receiver: HttpService
) -> None:
    await builders.add(connection, "bin-1")
    await builders.add(connection, "bin-2", municipality="nablus")
    tokens = {
        town: await builders.token(connection, town, role=Role.ADMIN, municipality=town)
        for town in ("tripoli", "nablus")
    }
    for _ in range(MOST_OF_TOWN):
        await subscribe(client, wish(receiver), tokens["tripoli"])

    mine = {"Authorization": f"Bearer {tokens['tripoli']}"}
    refused = await client.post(PATH, json=wish(receiver), headers=mine)
    await subscribe(client, wish(receiver), tokens["nablus"])
    await subscribe(client, wish(receiver))

    assert (refused.status_code, "of tripoli" in refused.json()["detail"]) == (409, True)
