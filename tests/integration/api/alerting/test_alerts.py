"""Alerts over HTTP: the queue, acknowledging, comments."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2

from alerts.transition import Severity
from devices.instants import rfc3339
from tests.integration.api import builders
from tests.integration.api.conftest import bearing


async def test_alerts_are_listed_newest_first_and_by_severity(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    ids = []
    for i, severity in enumerate(Severity):
        device = await builders.add(connection, f"bin-{i}")
        ids.append(await builders.fire(connection, device, severity=severity))

    everything = (await client.get("/api/v1/alerts?state=firing")).json()["items"]
    critical = (await client.get("/api/v1/alerts?severity=critical")).json()["items"]

    assert [alert["id"] for alert in everything] == ids[::-1]
    assert [alert["device"] for alert in critical] == ["bin-0"]
    assert critical[0]["summary"]["fr"] == "bin-0 est plein"


async def test_alerts_are_read_page_by_page(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    devices = [await builders.add(connection, f"bin-{i}") for i in range(3)]
    ids = [await builders.fire(connection, device) for device in devices]

    first = await client.get("/api/v1/alerts?limit=2")
    second = await client.get(first.links["next"]["url"])

    assert [a["id"] for a in first.json()["items"] + second.json()["items"]] == ids[::-1]
    assert "next" not in second.links


async def test_acknowledged_alert_keeps_its_first_author_and_its_condition(
    client: httpx2.AsyncClient, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    url = f"/api/v1/alerts/{alert}/acknowledge"

    first = await client.post(url, headers={"Idempotency-Key": "a"})
    repeated = await client.post(url, headers={"Idempotency-Key": "a"})
    async with bearing(pool, await builders.token(connection, "Samir")) as other:
        second = await other.post(url)

    assert first.status_code == repeated.status_code == second.status_code == 200
    assert first.json() == repeated.json()
    assert second.json()["acknowledged_by"] == "operator"
    assert second.json()["state"] == "firing"
    history = (await client.get(f"/api/v1/alerts/{alert}")).json()["history"]
    assert [event["type"] for event in history] == ["opened", "acknowledged"]


async def test_acknowledge_needs_no_body(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))

    answer = await client.post(f"/api/v1/alerts/{alert}/acknowledge")

    assert answer.json()["acknowledged_by"] == "operator"


async def test_author_is_who_bears_the_token_whatever_the_body_says(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    url = f"/api/v1/alerts/{alert}"

    async with bearing(pool, await builders.token(connection, "waste office")) as client:
        await client.post(f"{url}/acknowledge", json={"author": "Mayor"})
        await client.post(f"{url}/comments", json={"author": "Mayor", "body": "on my way"})
        found = (await client.get(url)).json()

    assert found["acknowledged_by"] == "waste office"
    assert [event["author"] for event in found["history"]] == [None, "waste office", "waste office"]


async def test_author_is_the_operator_where_no_token_is_needed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    url = f"/api/v1/alerts/{alert}"

    answer = await client.post(f"{url}/acknowledge", json={"author": "Mayor"})
    comment = await client.post(f"{url}/comments", json={"author": "Mayor", "body": "on my way"})

    assert (answer.status_code, comment.status_code) == (200, 201)
    history = (await client.get(url)).json()["history"]
    assert [event["author"] for event in history] == [None, "operator", "operator"]


async def test_comment_sent_twice_with_one_key_is_stored_once(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"))
    url = f"/api/v1/alerts/{alert}/comments"
    key = {"Idempotency-Key": "k1"}

    first = await client.post(url, json={"body": "crew is on its way"}, headers=key)
    again = await client.post(url, json={"body": "crew is on its way"}, headers=key)
    other = await client.post(url, json={"body": "something else"}, headers=key)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert first.json() == again.json()
    history = (await client.get(f"/api/v1/alerts/{alert}")).json()["history"]
    assert [event["body"] for event in history if event["type"] == "comment"] == ["crew is on its way"]


async def test_alert_of_a_silent_device_is_shown_as_unknown(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    overflow = await builders.fire(connection, device)
    await builders.fire(connection, device, rule="lamp-unheard", family="silent")

    items = (await client.get("/api/v1/alerts")).json()["items"]

    assert {item["id"]: item["unknown"] for item in items}[overflow] is True
    assert {item["rule"]: item["family"] for item in items} == {
        "bin-overflow": "stream",
        "lamp-unheard": "silent",
    }


async def test_alert_tells_what_made_it_fire_in_every_language(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    evidence = {"values": {"fill_pct": 91.5, "blocked": 0.0}, "limits": {"overflow_at": 85}}
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"), evidence=evidence)
    label = {"en": "sensor blocked", "fr": "capteur obstrué", "ar": "حساس محجوب"}
    await connection.execute("UPDATE rule SET labels = $1", {"blocked": label})

    blocked, fill, limit = (await client.get(f"/api/v1/alerts/{alert}")).json()["terms"]

    assert fill["label"] == {"en": "Fill", "fr": "Remplissage", "ar": "الامتلاء"}
    assert (fill["value"]["en"], fill["raw"], fill["unit"], fill["limit"]) == ("91.5", 91.5, "%", False)
    assert blocked["label"] == label
    assert (limit["name"], limit["limit"]) == ("overflow_at", True)


async def test_alert_says_which_rules_it_waits_for(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET suppress_by = $1", ["circuit-down"])
    alert = await builders.fire(connection, device)

    found = (await client.get(f"/api/v1/alerts/{alert}")).json()

    assert (found["suppress_by"], found["inhibited_by"]) == (["circuit-down"], None)
    assert found["held_until"] == rfc3339(builders.NOON + timedelta(minutes=5))
    view = await connection.fetchrow("SELECT inhibited_by, held_until FROM v_alert")
    assert view is not None
    assert tuple(view) == (None, builders.NOON + timedelta(minutes=5))


async def test_open_alert_is_told_with_its_newest_value_its_first_and_what_to_do(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    values = {"values": {"fill_pct": 86.0}, "limits": {}}
    alert = await builders.fire(connection, device, evidence=values)
    definition = {"summary": {"en": "{device} is {fill_pct:.0f}% full"}, "runbook": {"en": "Empty it."}}
    await connection.execute("UPDATE rule SET definition = $1", definition)
    await connection.execute(
        """
        INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)
        SELECT $1, at, at, 600, 0, '{"fill_pct": 97.0}' FROM (SELECT $2::timestamptz AS at) AS newest
        """,
        device.id,
        builders.NOON + timedelta(hours=1),
    )

    open_one = (await client.get(f"/api/v1/alerts/{alert}")).json()
    await builders.resolve(connection, device)
    ended = (await client.get("/api/v1/alerts")).json()["items"][0]

    assert open_one["summary"] == {"en": "bin-1 is 97% full"}
    assert open_one["began"] == {"en": "bin-1 is 86% full"}
    assert open_one["course"]["en"] == "97 % now, 86 % when it began"
    assert open_one["runbook"] == {"en": "Empty it."}
    assert ended["summary"] == {"en": "bin-1 is 86% full"}
    assert ended["course"] is None


async def test_many_are_acknowledged_by_one_request_and_it_is_undone(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    ids = [await builders.fire(connection, await builders.add(connection, f"bin-{i}")) for i in range(2)]

    done = await client.post("/api/v1/alerts/acknowledge", json={"alerts": [*ids, 4711]})
    undone = await client.post("/api/v1/alerts/unacknowledge", json={"alerts": done.json()["changed"]})
    one = await client.post(f"/api/v1/alerts/{ids[0]}/acknowledge")
    back = await client.post(f"/api/v1/alerts/{ids[0]}/unacknowledge")
    none = await client.post("/api/v1/alerts/acknowledge", json={"alerts": []})
    stranger = await client.post("/api/v1/alerts/4711/unacknowledge")

    assert done.json() == {"changed": ids, "unchanged": [], "unknown": [4711]}
    assert undone.json() == {"changed": ids, "unchanged": [], "unknown": []}
    assert one.json()["acknowledged_at"] is not None
    assert back.json()["acknowledged_at"] is None
    assert none.status_code == 422
    assert stranger.status_code == 404
