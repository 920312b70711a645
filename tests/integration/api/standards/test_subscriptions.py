"""Subscriptions to NGSI-LD entities: made over HTTP, followed as by `nabd notify`, told to real receivers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from alerts.overview import changed, now
from alerts.overview.changed import OVERLAP
from alerts.overview.now import WantedDevices
from api.standards.ngsi_ld.subscriptions import following
from devices.instants import rfc3339, to_microseconds
from devices.publishing.subscriptions import SUBSCRIPTIONS, list_subscriptions
from devices.registry.registry import Device
from nabd.accounts.grants import Account
from people.roles import Role
from store.pool import connect
from tests.databases import as_account
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.standards.following import Clock, Follow, heard
from tests.integration.api.standards.subscribing import (
    PATH,
    after,
    edit,
    fills,
    hears_of,
    stands,
    subscribe,
    told,
    wish,
)
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("reaching_here")


async def test_receiver_is_told_of_a_reading_as_the_subscription_wants_it(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    await builders.report(connection, bin_1, fill_pct=10.0)  # known before: no news
    headers = [
        {"key": "Authorization", "value": "Bearer s3cret"},
        {"key": "Fiware-Service", "value": "waste"},
    ]
    endpoint = {"uri": f"{receiver.url}/hear?a=b", "accept": "application/ld+json", "receiverInfo": headers}
    notification = {"attributes": ["fillingLevel"], "format": "keyValues", "endpoint": endpoint}
    address = await subscribe(
        client, wish(receiver, id="urn:ngsi-ld:Subscription:full", notification=notification)
    )

    async with follow():
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=62.0)
        await heard(receiver, 1)
        found = await stands(client, address, timesSent=1, lastSuccess=rfc3339(NOON))

    asked = receiver.asked[0]
    body = json.loads(asked.body)
    assert asked.line == "POST /hear?a=b HTTP/1.1"
    assert (asked.headers["authorization"], asked.headers["fiware-service"]) == ("Bearer s3cret", "waste")
    assert asked.headers["content-type"] == "application/ld+json"
    assert body["@context"].endswith("/ngsi-ld/v1/context.jsonld")
    assert (body["type"], body["subscriptionId"]) == ("Notification", "urn:ngsi-ld:Subscription:full")
    assert body["id"].startswith("urn:ngsi-ld:Notification:")
    entity = {"id": "urn:ngsi-ld:WasteContainer:bin-1", "type": "WasteContainer", "fillingLevel": 0.62}
    assert [{k: v for k, v in one.items() if k != "@context"} for one in body["data"]] == [entity]
    assert (found["status"], found["notification"]["status"]) == ("active", "ok")
    assert found["notification"]["attributes"] == ["fillingLevel"]
    said = json.dumps(found) + (await client.get(PATH)).text
    said += json.dumps([dict(row) for row in await connection.fetch("SELECT after FROM audit")])
    assert "s3cret" not in said
    assert len(receiver.asked) == 1


async def test_changes_of_watched_attributes_are_told_and_others_not(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    await builders.report(connection, bin_1, fill_pct=10.0, temperature_c=20.0)
    await subscribe(client, wish(receiver, watchedAttributes=["status", "name", "temperature"]))

    async with follow():
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=62.0)
        await builders.fire(connection, bin_1, rule="bin-fire", at=after(minutes=2))
        await heard(receiver, 1)
        await builders.report(connection, bin_1, at=after(minutes=3), fill_pct=63.0)
        later = to_microseconds(after(minutes=4))
        await edit(connection, builders.KINDS, "bin-1", {"title": "Khan"}, now=lambda: later)
        await heard(receiver, 2)
        await builders.report(connection, bin_1, at=after(minutes=5), fill_pct=64.0, temperature_c=21.0)
        await heard(receiver, 3)

    seen = [(one["status"]["value"], one["name"]["value"]) for (one,) in told(receiver)]
    assert seen == [("burning", "Souk"), ("burning", "Khan"), ("burning", "Khan")]
    assert "temperature" not in told(receiver)[1][0], "what was not in the newest reading is not told"
    assert told(receiver)[2][0]["temperature"]["value"] == 21.0


async def test_only_entities_that_fit_query_place_and_pattern_are_told(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, receiver: HttpService, follow: Follow
) -> None:
    near = await builders.add(connection, "bin-1", lat=34.43, lon=35.84)
    far = await builders.add(connection, "bin-2", lat=34.5, lon=35.9)
    place = {"georel": "near;maxDistance==500", "geometry": "Point", "coordinates": [35.84, 34.43]}
    await subscribe(client, wish(receiver, q="fillingLevel%3E0.8", geoQ=place))
    selector = [{"idPattern": ".*:bin-[2-9]$", "type": "WasteContainer"}]
    async with serving(HttpService(http(204))) as other, follow():
        await subscribe(client, wish(other, entities=selector))
        for number, (device, fill) in enumerate([(near, 50.0), (far, 95.0), (near, 81.0), (far, 5.0)]):
            await builders.report(connection, device, at=after(minutes=number + 1), fill_pct=fill)
            if device is far:
                await hears_of(other, fill / 100)
        await heard(receiver, 1)

    assert fills(receiver) == [[("bin-1", 0.81)]]
    assert fills(other) == [[("bin-2", 0.95)], [("bin-2", 0.05)]]


async def test_entities_of_other_municipalities_are_never_told(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, receiver: HttpService, follow: Follow
) -> None:
    own = await builders.add(connection, "bin-1")
    foreign = await builders.add(connection, "bin-2", municipality="nablus")
    token = await builders.token(connection, role=Role.ADMIN, municipality="tripoli")
    stranger = await builders.token(connection, "stranger", role=Role.ADMIN, municipality="nablus")
    mine, theirs = ({"Authorization": f"Bearer {one}"} for one in (token, stranger))
    answer = await client.post(PATH, json=wish(receiver), headers=mine)
    address = answer.headers["location"]

    async with follow():
        await builders.report(connection, foreign, at=after(minutes=1), fill_pct=99.0)
        await builders.fire(connection, foreign, rule="bin-fire", at=after(minutes=1))
        await builders.report(connection, own, at=after(minutes=1), fill_pct=50.0)
        await heard(receiver, 1)
        await edit(connection, builders.KINDS, "bin-1", {"municipality": "nablus"}, now=builders.now)
        await builders.report(connection, own, at=after(minutes=2), fill_pct=51.0)
        last = await builders.add(connection, "bin-3")
        await builders.report(connection, last, at=after(minutes=3), fill_pct=52.0)
        await heard(receiver, 2)

    assert fills(receiver) == [[("bin-1", 0.5)], [("bin-3", 0.52)]]
    for method, body in (("GET", None), ("PATCH", {"isActive": False}), ("DELETE", None)):
        refused = await client.request(method, address, json=body, headers=theirs)
        assert refused.status_code == 404, method
    assert (await client.get(PATH, headers=theirs)).json() == []
    assert len((await client.get(PATH, headers=mine)).json()) == 1
    assert (await client.delete(address)).status_code == 204, "whoever may everywhere ends any"


async def test_throttling_is_kept_and_what_came_meanwhile_told_as_it_is_then(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    clock: Clock,
    bin_1: Device,
) -> None:
    async with serving(HttpService(http(204))) as unthrottled:
        address = await subscribe(client, wish(receiver, throttling=60))
        await subscribe(client, wish(unthrottled))
        async with follow():
            await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
            await stands(client, address, timesSent=1)
        async with follow():  # a restart forgets no pause
            for number in (2, 3):
                await builders.report(connection, bin_1, at=after(minutes=number), fill_pct=10.0 * number)
                await hears_of(unthrottled, number / 10)
            clock.pass_(seconds=59)
            await builders.report(connection, bin_1, at=after(minutes=4), fill_pct=40.0)
            await hears_of(unthrottled, 0.4)
            assert len(receiver.asked) == 1
            clock.pass_(seconds=1)
            await hears_of(receiver, 0.4)

    assert fills(receiver) == [[("bin-1", 0.1)], [("bin-1", 0.4)]]


async def test_throttling_is_between_rounds_and_no_device_is_passed_over(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    devices = [await builders.add(connection, f"bin-{number}") for number in range(5)]
    await subscribe(client, wish(receiver, throttling=60))
    for device in devices:
        await builders.report(connection, device, at=after(minutes=1), fill_pct=10.0)
    async with follow():
        await heard(receiver, 3)  # the clock stands
        assert sorted(name for several in fills(receiver) for name, _ in several) == [
            f"bin-{number}" for number in range(5)
        ]
        async with connection.transaction():  # what is noticed later is of another round
            for device in devices:
                await builders.report(connection, device, at=after(minutes=2), fill_pct=20.0)
        clock.pass_(seconds=60)
        await heard(receiver, 6)

    assert sorted(name for several in fills(receiver)[3:] for name, _ in several) == [
        f"bin-{number}" for number in range(5)
    ]


async def test_subscription_to_one_entity_is_told_of_it_alone_and_others_take_no_page(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 1)
    asked: list[WantedDevices] = []
    plain = now.devices_now

    async def devices_now(connection: Any, wanted: WantedDevices, **named: Any) -> Any:
        asked.append(wanted)
        return await plain(connection, wanted, **named)

    monkeypatch.setattr(following, "devices_now", devices_now)
    devices = [await builders.add(connection, f"bin-{number}") for number in range(5)]
    await subscribe(client, wish(receiver, entities=[{"id": "urn:ngsi-ld:WasteContainer:bin-4"}]))
    for device in devices:
        await builders.report(connection, device, at=after(minutes=1), fill_pct=10.0)
    async with follow():
        await heard(receiver, 1)

    assert fills(receiver) == [[("bin-4", 0.1)]]
    assert {name for wanted in asked for name in wanted.names or ()} == {"bin-4"}


async def test_progress_of_who_is_told_nothing_is_stored_and_who_is_stopped_holds_up_nothing(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    begun: list[Any] = []
    plain = changed.devices_since

    async def devices_since(connection: Any, since: Any) -> Any:
        begun.append(since)
        return await plain(connection, since)

    monkeypatch.setattr(changed, "devices_since", devices_since)
    await subscribe(client, wish(receiver, q="fillingLevel>0.9"))
    await subscribe(client, wish(receiver, entities=[{"type": "Streetlight"}]))
    stopped = await subscribe(client, wish(receiver))
    await connection.execute(
        "UPDATE ngsi_subscription SET document = jsonb_set(document, '{q}', '\"(\"') WHERE id = $1",
        stopped.rpartition("/")[2],
    )

    async def stored() -> bool:
        followed = [
            row["follows_from"]
            for row in await connection.fetch("SELECT follows_from FROM ngsi_subscription WHERE stopped = ''")
        ]
        return len(followed) == 2 and set(followed) == {after(minutes=10) - OVERLAP}

    async with follow():
        await builders.report(connection, bin_1, at=after(minutes=10), fill_pct=10.0)
        await eventually(stored)
    begun.clear()
    async with follow():
        await eventually(lambda: stands_begun(begun))

    assert min(begun) == after(minutes=10) - OVERLAP
    assert receiver.asked == []


async def stands_begun(begun: list[Any]) -> bool:
    return len(begun) > 1


async def test_many_entities_come_in_several_notifications(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    devices = [await builders.add(connection, f"bin-{number}") for number in range(5)]
    await subscribe(client, wish(receiver))
    for number, device in enumerate(devices):
        await builders.report(connection, device, at=after(minutes=number + 1), fill_pct=50.0)

    async def everybody() -> bool:
        return {name for several in fills(receiver) for name, _ in several} >= {one.name for one in devices}

    async with follow():
        await heard(receiver, 1)
    async with follow():  # in the middle of it
        await eventually(everybody)

    assert all(len(several) <= 2 for several in fills(receiver))


@pytest.mark.parametrize("step", ["devices_now", "headers_of"])
async def test_headers_go_to_nobody_but_whom_they_were_told_for(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
    step: str,
) -> None:
    def of(who: HttpService, secret: str) -> dict[str, Any]:
        return {"endpoint": {"uri": who.url, "receiverInfo": [{"key": "X-Secret", "value": secret}]}}

    plain, looks = getattr(following, step), list_subscriptions
    begun, moved, looked = asyncio.Event(), asyncio.Event(), asyncio.Queue[None]()

    async with serving(HttpService(http(204))) as other:

        async def moving(*args: Any, **named: Any) -> Any:
            """Move the subscription to another receiver while it is told."""
            found = await plain(*args, **named)
            if not begun.is_set():
                begun.set()
                answer = await client.patch(address, json={"notification": of(other, "new")})
                assert answer.status_code == 204
                moved.set()
                for _ in range(2 if step == "headers_of" else 0):  # one look is over when the next begins
                    await looked.get()
            return found

        async def looking(*args: Any, **named: Any) -> Any:
            if moved.is_set():
                looked.put_nowait(None)
            return await looks(*args, **named)

        address = await subscribe(client, wish(receiver, notification=of(receiver, "old")))
        monkeypatch.setattr(following, step, moving)
        monkeypatch.setattr(following, "list_subscriptions", looking)
        async with follow():
            await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
            await asyncio.wait_for(moved.wait(), 30)
            await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)
            await hears_of(other, 0.2)

    assert {one.headers.get("x-secret") for one in receiver.asked} <= {"old", None}
    assert {one.headers.get("x-secret") for one in other.asked} == {"new"}


async def test_subscription_is_changed_paused_and_ended(
    app: FastAPI,
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    headers = [{"key": "Authorization", "value": "Bearer s3cret"}]
    endpoint = {"uri": receiver.url, "receiverInfo": headers}
    address = await subscribe(
        client, wish(receiver, q="fillingLevel>0.8", notification={"endpoint": endpoint})
    )
    async with follow(), serving(HttpService(http(204))) as other:
        same = {"type": "Subscription", "q": None, "notification": {"endpoint": {"uri": receiver.url}}}
        merge = {"Content-Type": "application/merge-patch+json"}
        changed = await client.patch(address, content=json.dumps(same), headers=merge)
        assert changed.status_code == 204, changed.text
        assert "q" not in (await client.get(address)).json()
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await heard(receiver, 1)

        assert (await client.patch(address, json={"isActive": False})).status_code == 204
        assert (await client.get(address)).json()["status"] == "paused"
        await subscribe(client, wish(other))
        await builders.report(connection, bin_1, at=after(seconds=90), fill_pct=20.0)
        await hears_of(other, 0.2)
        moved = {"isActive": True, "notification": {"endpoint": {"uri": f"{other.url}/moved"}}}
        later = partial(to_microseconds, after(minutes=2))
        app.state.context = replace(app.state.context, now=later)
        assert (await client.patch(address, json=moved)).status_code == 204
        await builders.report(connection, bin_1, at=after(minutes=3), fill_pct=30.0)
        await hears_of(other, 0.3, "/moved")
        bad = await client.patch(address, json={"notification": None})

    assert receiver.asked[0].headers["authorization"] == "Bearer s3cret", "kept for its uri"
    after_it = [one for one in other.asked if one.line.startswith("POST /moved")]
    assert all("authorization" not in one.headers for one in after_it), "and shown to no other"
    assert {json.loads(one.body)["data"][0]["fillingLevel"]["value"] for one in after_it} == {0.3}
    assert fills(receiver) == [[("bin-1", 0.1)]]
    assert bad.status_code == 422
    assert (await client.delete(address)).status_code == 204
    assert (await client.get(address)).status_code == 404
    assert await connection.fetchval("SELECT count(*) FROM ngsi_secret") == 0


async def test_subscription_expires_and_is_removed_later(
    app: FastAPI,
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    dsn: str,
) -> None:
    soon = after(hours=1)
    address = await subscribe(client, wish(receiver, expiresAt=rfc3339(soon)))
    endless = await subscribe(client, wish(receiver))
    context = app.state.context
    app.state.context = replace(context, now=lambda: to_microseconds(after(hours=2)))
    assert (await client.get(address)).json()["status"] == "expired"
    sweep = await connect(as_account(dsn, Account.SWEEP))

    kept = await SUBSCRIPTIONS.forget_before(sweep, after(minutes=59), limit=10, now=soon)
    gone = await SUBSCRIPTIONS.forget_before(sweep, after(hours=2), limit=10, now=soon)

    await sweep.close()
    assert (kept, gone) == (0, 1)
    assert (await client.get(endless)).status_code == 200
