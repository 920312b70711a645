"""Subscriptions to NGSI-LD entities: made over HTTP, followed as by `nabd notify`, told to real receivers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.standards.ngsi_ld.subscriptions import endpoint, following
from api.standards.ngsi_ld.subscriptions.endpoint import EntityNotification
from devices.instants import rfc3339, to_microseconds
from devices.publishing.subscriptions import MOST, SUBSCRIPTIONS
from devices.registry.editing import edit_device
from devices.registry.registry import Device
from nabd.accounts.grants import Account
from people.editing import NewPerson, add_person, delete_person, edit_person
from people.identity import of_texts
from people.roles import Role
from people.tokens import revoke_token
from store.audit import PLATFORM
from store.pool import connect
from tests.databases import as_account
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.standards.following import HERE, Clock, Follow, heard
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.waiting import eventually

PATH = "/ngsi-ld/v1/subscriptions"


@pytest.fixture(autouse=True)
def reaching_here(app: FastAPI) -> None:
    """Let subscriptions name this machine."""
    app.state.context = replace(app.state.context, webhook_targets=HERE)


@pytest.fixture
async def receiver() -> AsyncIterator[HttpService]:
    """Somebody who takes notifications."""
    async with serving(HttpService(http(204))) as service:
        yield service


@pytest.fixture
async def bin_1(connection: asyncpg.Connection) -> Device:
    return await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="Souk")


def wish(receiver: HttpService, **more: Any) -> dict[str, Any]:
    """Return a subscription to bins."""
    notification = {"endpoint": {"uri": f"{receiver.url}/hear"}, **more.pop("notification", {})}
    found = {"type": "Subscription", "entities": [{"type": "WasteContainer"}], "notification": notification}
    return {name: value for name, value in (found | more).items() if value is not None}


async def subscribe(client: httpx2.AsyncClient, body: dict[str, Any]) -> str:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def told(receiver: HttpService) -> list[list[dict[str, Any]]]:
    """Return the entities of each notification."""
    return [json.loads(one.body)["data"] for one in receiver.asked]


def fills(receiver: HttpService) -> list[list[tuple[str, float]]]:
    """Return names and fill levels of each notification that says something new.

    What changes while a notification is made is in it, and in the next one.
    """
    every = [
        [(one["id"].rpartition(":")[2], one.get("fillingLevel", {}).get("value")) for one in several]
        for several in told(receiver)
    ]
    return [several for several, _ in groupby(every)]


async def hears_of(receiver: HttpService, level: float, path: str = "") -> None:
    """Wait for a notification of one entity that has a fill level; several changes may come in one."""

    async def heard_of() -> bool:
        to_path = (json.loads(one.body) for one in receiver.asked if one.line.startswith(f"POST {path}"))
        return any(body["data"][0].get("fillingLevel", {}).get("value") == level for body in to_path)

    await eventually(heard_of)


async def stands(client: httpx2.AsyncClient, address: str, **wanted: Any) -> dict[str, Any]:
    """Wait until a subscription's `notification`, or itself, says what is wanted."""

    async def says() -> dict[str, Any] | None:
        found: dict[str, Any] = (await client.get(address)).json()
        both = found | found["notification"] | {"state": found["status"]}
        return found if all(both.get(name) == value for name, value in wanted.items()) else None

    found: dict[str, Any] = await eventually(says)
    return found


edit = partial(edit_device, by=PLATFORM)


def after(**time: float) -> Any:
    return NOON + timedelta(**time)


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
    await subscribe(client, wish(receiver, q="fillingLevel>0.8", geoQ=place))
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


async def test_receiver_that_is_away_is_told_the_newest_later_and_keeps_nobody_waiting(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    clock: Clock,
    bin_1: Device,
) -> None:
    async with serving(HttpService(http(500, b"not now, Bearer t0k3n"))) as away, follow():
        headers = [{"key": "Authorization", "value": "Bearer t0k3n"}]
        endpoint = {"uri": away.url, "receiverInfo": headers}
        address = await subscribe(client, wish(away, notification={"endpoint": endpoint}))
        await subscribe(client, wish(receiver))
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        failed = await stands(client, address, status="failed", state="active", timesFailed=1)
        for number, fill in ((2, 20.0), (3, 30.0)):
            await builders.report(connection, bin_1, at=after(minutes=number), fill_pct=fill)
            await hears_of(receiver, fill / 100)
        assert len(away.asked) == 1, "left alone for a while"
        clock.pass_(seconds=10)
        await stands(client, address, timesFailed=2)
        away.answer = http(200)
        clock.pass_(seconds=10)
        await builders.report(connection, bin_1, at=after(minutes=4), fill_pct=40.0)
        await hears_of(receiver, 0.4)
        assert len(away.asked) == 2, "twice as long"
        clock.pass_(seconds=10)
        there = await stands(client, address, status="ok", timesSent=3, timesFailed=2)

    assert failed["statusReason"].startswith("500 Internal Server Error: not now")
    assert "t0k3n" not in failed["statusReason"]
    assert "statusReason" not in there
    assert fills(away) == [[("bin-1", 0.1)], [("bin-1", 0.3)], [("bin-1", 0.4)]]


async def test_receivers_that_hang_delay_no_other(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    monkeypatch.setattr(following, "TURNS", 3)
    async with serving(HttpService(http(204), hangs=True)) as hanging, follow():
        for _ in range(2):
            await subscribe(client, wish(hanging))
        await subscribe(client, wish(receiver))
        async with asyncio.timeout(8):  # less than a receiver is waited for
            for number in range(1, 4):
                await builders.report(connection, bin_1, at=after(minutes=number), fill_pct=10.0 * number)
                await hears_of(receiver, number / 10)

    assert fills(receiver) == [[("bin-1", 0.1)], [("bin-1", 0.2)], [("bin-1", 0.3)]]
    assert len(hanging.asked) == 2


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


async def test_kill_loses_nothing_whether_before_during_or_between(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    address = await subscribe(client, wish(receiver))
    await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
    receiver.hangs = True
    async with follow():
        await heard(receiver, 1)  # and killed before it answers
    receiver.hangs = False
    async with follow():
        await stands(client, address, timesSent=1)

    async def burning() -> bool:
        newest = told(receiver)[-1][0]
        return (newest["fillingLevel"]["value"], newest["status"]["value"]) == (0.2, "burning")

    await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)  # while nobody follows
    await builders.fire(connection, bin_1, rule="bin-fire", at=after(minutes=2))
    async with follow():
        await eventually(burning)
        await builders.report(connection, bin_1, at=after(minutes=3), fill_pct=30.0)
        await hears_of(receiver, 0.3)
    before = len(receiver.asked)
    async with follow():  # the last seconds before it are told again: at least once
        await heard(receiver, before + 1)

    levels = [one["fillingLevel"]["value"] for (one,) in told(receiver)]
    assert levels[:2] == [0.1, 0.1]
    assert [level for level, _ in groupby(levels)] == [0.1, 0.2, 0.3]
    assert levels[-1] == 0.3


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


async def test_mistake_of_ours_harms_one_subscription_and_is_said(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    monkeypatch: pytest.MonkeyPatch,
    bin_1: Device,
) -> None:
    bad = await subscribe(client, wish(receiver))
    plain = endpoint.post

    async def post(client: Any, uri: str, notification: EntityNotification, *more: Any, **named: Any) -> None:
        if bad.endswith(notification.subscription):
            raise KeyError("a mistake")
        await plain(client, uri, notification, *more, **named)

    monkeypatch.setattr(endpoint, "post", post)
    async with follow():
        await subscribe(client, wish(receiver))
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        failed = await stands(client, bad, status="failed")
        await heard(receiver, 1)

    assert failed["statusReason"] == "our mistake; the log has the details"


async def test_outage_of_the_database_is_waited_for(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    address = await subscribe(client, wish(receiver))
    async with follow():
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await stands(client, address, timesSent=1)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'nabd_notify'"
        )
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)

        async def newest() -> bool:
            return fills(receiver)[-1] == [("bin-1", 0.2)]

        await eventually(newest)


@pytest.mark.parametrize("how", ["revoked", "deleted", "demoted"])
async def test_subscription_stops_and_says_why_when_who_made_it_may_not_any_more(
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    pool: asyncpg.Pool,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
    how: str,
) -> None:
    address = await subscribe(client, wish(receiver))
    owner = await _owner(connection, person=how != "revoked")
    await connection.execute("UPDATE ngsi_subscription SET principal_id = $1", owner)
    async with follow(), serving(HttpService(http(204))) as other:
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        await stands(client, address, timesSent=1)
        if how == "revoked":
            number = await connection.fetchval("SELECT id FROM token WHERE principal_id = $1", owner)
            await revoke_token(connection, number, builders.now(), by=PLATFORM)
        elif how == "deleted":
            await delete_person(connection, "amal", builders.now(), by=PLATFORM)
        else:
            await edit_person(
                connection, "amal", {}, builders.now(), grants=of_texts(["viewer"]), by=PLATFORM
            )
        stopped = await stands(client, address, state="paused")
        await subscribe(client, wish(other))
        await builders.report(connection, bin_1, at=after(minutes=2), fill_pct=20.0)
        await heard(other, 1)

    assert stopped["statusReason"].startswith("who made it")
    assert stopped["isActive"] is True
    assert fills(receiver) == [[("bin-1", 0.1)]]


async def _owner(connection: asyncpg.Connection, *, person: bool) -> int:
    """Return the principal of somebody who administers Tripoli."""
    if person:
        new = NewPerson(name="amal", grants=sorted(of_texts(["admin@tripoli"]), key=str))
        await add_person(connection, new, builders.now(), by=PLATFORM)
        return await connection.fetchval("SELECT id FROM person WHERE name = 'amal'")  # type: ignore[no-any-return]
    await builders.token(connection, "owner", role=Role.ADMIN, municipality="tripoli")
    return await connection.fetchval("SELECT principal_id FROM token WHERE name = 'owner'")  # type: ignore[no-any-return]


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
    client: httpx2.AsyncClient,
    connection: asyncpg.Connection,
    receiver: HttpService,
    follow: Follow,
    bin_1: Device,
) -> None:
    async with serving(HttpService(http(302, Location=receiver.url))) as redirecting, follow():
        away = await subscribe(client, wish(redirecting))
        endpoint = {"endpoint": {"uri": "https://nobody.invalid/"}}
        inside = await subscribe(client, wish(receiver, notification=endpoint))
        await connection.execute(
            "UPDATE ngsi_subscription SET document = jsonb_set(document, '{notification,endpoint,uri}',"
            " to_jsonb('https://10.0.0.1/'::text)) WHERE id = $1",
            inside.rpartition("/")[2],
        )
        await builders.report(connection, bin_1, at=after(minutes=1), fill_pct=10.0)
        redirected = await stands(client, away, status="failed")
        refused = await stands(client, inside, status="failed")

    assert redirected["statusReason"].startswith("302")
    assert refused["statusReason"] == "10.0.0.1 is no public address, and not listed"
    assert receiver.asked == []


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
