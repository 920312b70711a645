"""Alerts of another system: sent as to an Alertmanager, they live as all alerts do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2

from alerts import queue
from alerts.external import ExternalAlert, end_external, receive
from alerts.orphans import end_orphans
from alerts.queue import Alert
from alerts.transition import Severity
from devices.instants import rfc3339
from people.roles import Role, TokenScope
from rules.sweeps.leader import sweep_once
from tests.integration.api import builders
from tests.integration.api.builders import NOON, add

MINUTE_US = 60_000_000


def sent(name: str = "DiskFull", severity: str = "critical", **more: Any) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, **more.pop("labels", {})}
    return {"labels": labels, "annotations": {"summary": f"{name} on db"}, **more}


def at(minutes: float) -> str:
    return rfc3339(NOON + timedelta(minutes=minutes))


async def post(client: httpx2.AsyncClient, alerts: object, token: str | None = None) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await client.post("/api/v2/alerts", json=alerts, headers=headers)


async def listed(connection: asyncpg.Connection) -> list[tuple[str, str, str, str]]:
    return [(a.rule, a.device, a.severity.value, a.state) for a in await queue.list_alerts(connection)]


async def only(connection: asyncpg.Connection) -> Alert:
    [alert] = await queue.list_alerts(connection)
    return alert


async def test_alert_opens_is_acknowledged_and_ends_when_it_is_sent_as_ended(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    await add(connection, "prometheus", "gateway")
    token = await builders.token(connection, "prometheus", role=None, scopes=[TokenScope.ALERTS])
    firing = sent(labels={"device": "cabinet-3", "instance": "db:9100"}, startsAt=at(-3), endsAt=at(4))

    answers = [await post(client, [firing, sent("Deadman", "none")], token) for _ in range(2)]

    assert [(a.status_code, a.content) for a in answers] == [(200, b""), (200, b"")]
    assert sorted(await listed(connection)) == [
        ("external-deadman", "prometheus", "warning", "firing"),
        ("external-disk-full", "cabinet-3", "critical", "firing"),
    ]
    shown = (await client.get("/api/v1/alerts?device=cabinet-3")).json()["items"][0]
    assert (shown["summary"]["ar"], shown["opened_at"], shown["family"]) == (
        "DiskFull on db",
        at(-3),
        "external",
    )
    assert shown["evidence"]["values"]["instance"] == "db:9100"
    place = f"/api/v1/alerts/{shown['id']}"
    assert (await client.post(f"{place}/acknowledge")).json()["acknowledged_by"] == "operator"
    silence = {"rule": "external-disk-full", "until_at": at(60), "reason": "known"}
    assert (await client.post("/api/v1/silences", json=silence)).status_code == 201
    one = (await client.get(place)).json()
    assert one["silence"] is not None
    assert {term["name"]: term["value"]["en"] for term in one["terms"]}["instance"] == "db:9100"

    await end_orphans(connection, builders.now())
    await post(client, [{**firing, "endsAt": at(-1)}], token)

    ended = (await client.get(place)).json()
    assert (ended["state"], ended["resolved_at"]) == ("resolved", at(-1))
    assert [e["type"] for e in ended["history"]] == ["opened", "acknowledged", "resolved"]
    assert await connection.fetchval("SELECT count(*) FROM external_alert") == 1


async def test_text_that_the_database_cannot_keep_is_made_storable(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    odd = sent(labels={"device": "cabinet-3", "n\x00": "v\x00"}, generatorURL="http://prometheus/\x00")

    body = json.dumps([odd | {"annotations": {"summary\x00": "a\x00b"}}])
    answer = await client.post("/api/v2/alerts", content=body, headers={"Content-Type": "text/plain"})

    assert answer.status_code == 200, answer.text
    evidence = (await client.get("/api/v1/alerts")).json()["items"][0]["evidence"]
    assert (evidence["annotations"], evidence["generator_url"]) == (
        {"summary\ufffd": "a\ufffdb"},
        "http://prometheus/\ufffd",
    )


async def test_alert_ends_when_its_time_has_passed_unless_it_is_sent_again(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    alert = sent(labels={"device": "cabinet-3"}, endsAt=at(4))
    now = builders.now()

    await post(client, [alert])
    assert await end_external(connection, now + 3 * MINUTE_US) == 0
    await post(client, [{**alert, "endsAt": at(8)}])
    assert await end_external(connection, now + 5 * MINUTE_US) == 0
    assert await sweep_once(connection, builders.KINDS, now + 9 * MINUTE_US) == 1

    ended = await only(connection)
    assert (ended.state, ended.resolved_at) == ("resolved", NOON + timedelta(minutes=8))
    assert ended.summary["en"] == "DiskFull on db"
    await post(client, [alert])
    assert [state for *_, state in await listed(connection)] == ["firing", "resolved"]


async def test_alert_whose_time_has_passed_ends_although_another_is_sent_first(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await add(connection, "cabinet-3", "cabinet")
    await post(client, [sent(labels={"device": "cabinet-3"}, endsAt=at(4))])
    other = ExternalAlert(
        rule="external-other",
        device_id=device.id,
        severity=Severity.MINOR,
        said="other",
        labels={"alertname": "Other"},
        annotations={},
        generator_url="",
        starts_at=NOON,
        ends_at=NOON + timedelta(minutes=20),
    )

    assert await receive(connection, [other], builders.now() + 5 * MINUTE_US) == 1
    assert await end_external(connection, builders.now() + 6 * MINUTE_US) == 1

    assert [(rule, state) for rule, *_, state in await listed(connection)] == [
        ("external-other", "firing"), ("external-disk-full", "resolved"),
    ]  # fmt: skip


async def test_alerts_of_one_name_on_one_device_are_one_as_bad_as_the_worst(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    minor, critical = (
        sent(severity=severity, labels={"device": "cabinet-3", "disk": severity}, endsAt=at(4))
        for severity in ("minor", "critical")
    )

    async def severity_after(*alerts: dict[str, Any]) -> tuple[str, str]:
        assert (await post(client, alerts)).status_code == 200
        alert = await only(connection)
        return alert.severity.value, alert.state

    assert await severity_after(minor) == ("minor", "firing")
    assert await severity_after(critical, minor) == ("critical", "firing")
    assert await severity_after({**critical, "endsAt": at(0)}) == ("minor", "firing")
    assert await severity_after({**minor, "endsAt": at(0)}) == ("minor", "resolved")
    assert await severity_after({**minor, "endsAt": at(0)}) == ("minor", "resolved")


async def test_one_mistake_refuses_all_and_nothing_is_stored(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    await add(connection, "old", "cabinet")
    await connection.execute("UPDATE device SET retired_at = now(), retired_reason = 'x' WHERE name = 'old'")
    right = sent(labels={"device": "cabinet-3"})
    for wrong, said in (
        ({"labels": {}}, "alert 1: at least one label"),
        (sent(labels={"device": "nowhere"}), "alert 1: its label device, 'nowhere'"),
        (sent(labels={"device": "old"}), "no device that is installed here"),
        (sent(startsAt="tomorrow"), "startsAt"),
    ):
        answer = await post(client, [right, wrong])
        assert (answer.status_code, answer.json()["type"]) == (400, "urn:nabd:problem:bad-request")
        assert said in answer.json()["detail"]

    assert await queue.list_alerts(connection) == []
    assert await connection.fetchval("SELECT count(*) FROM external_alert") == 0
    assert (await client.get("/api/v1/rules?disabled=true")).json()["items"] == []


async def test_token_sends_alerts_and_does_nothing_else_and_an_administrator_where_they_are_one(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await add(connection, "cabinet-3", "cabinet")
    await add(connection, "cabinet-9", "cabinet", municipality="nablus")
    narrow = await builders.token(connection, "am", role=None, scopes=[TokenScope.ALERTS])
    admin, operator = [
        await builders.token(connection, role=role, municipality="tripoli")
        for role in (Role.ADMIN, Role.OPERATOR)
    ]
    here, there = (sent(labels={"device": name}) for name in ("cabinet-3", "cabinet-9"))

    statuses = [
        (await post(client, [alert], token)).status_code
        for alert, token in ((there, narrow), (here, admin), (there, admin), (here, operator))
    ]
    read = await client.get("/api/v1/alerts", headers={"Authorization": f"Bearer {narrow}"})

    assert statuses == [200, 200, 400, 403]
    assert read.status_code == 403


async def test_alert_of_another_system_is_never_unknown_and_its_rule_is_no_rule_of_ours(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await add(connection, "cabinet-3", "cabinet")
    await builders.fire(connection, device, rule="unheard", family="silent")
    await post(client, [sent(labels={"device": "cabinet-3"})])

    shown = (await client.get("/api/v1/alerts")).json()["items"]

    assert {a["rule"]: a["unknown"] for a in shown} == {"external-disk-full": False, "unheard": False}
    for path in ("", "/explain?device=cabinet-3"):
        assert (await client.get(f"/api/v1/rules/external-disk-full{path}")).status_code == 404
    assert (await client.post("/api/v1/rules/external-disk-full/enable")).status_code == 404
