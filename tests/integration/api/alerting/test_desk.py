"""What the alert desk asks: orders, words, teams, counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.api.builders import NOON

SEVERITIES = [Severity.MINOR, Severity.CRITICAL, Severity.WARNING, Severity.CRITICAL, Severity.MAJOR]


@pytest.fixture
async def alerts(connection: asyncpg.Connection) -> list[int]:
    """Five alerts, the newest first, of all severities; the second has the older of two critical ones."""
    found = []
    for i, severity in enumerate(SEVERITIES):
        device = await builders.add(connection, f"bin-{i}", title=f"شارع الأرز {i}" if i == 3 else "")
        found.append(
            await builders.fire(
                connection, device, severity=severity, at=NOON - timedelta(minutes=i * (1 if i < 3 else 2))
            )
        )
    return found


async def listed(client: httpx2.AsyncClient, **query: Any) -> list[int]:
    """Return the numbers of all pages, two alerts each."""
    found: list[int] = []
    url: str | None = str(httpx2.URL("/api/v1/alerts", params={"limit": 2, **query}))
    while url:
        page = (await client.get(url)).raise_for_status().json()
        found += [one["id"] for one in page["items"]]
        url = page["next"]
    return found


async def test_pages_go_on_in_every_order(
    client: httpx2.AsyncClient, alerts: list[int], connection: asyncpg.Connection
) -> None:
    minor, critical, warning, older, major = alerts
    for alert, hours in ((warning, 5), (minor, 2)):
        made = await client.post("/api/v1/work-orders", json={"alerts": [alert]})
        due = NOON + timedelta(hours=hours)
        await connection.execute(
            "UPDATE work_order SET repair_due_at = $2, response_due_at = NULL WHERE id = $1",
            made.json()["id"],
            due,
        )

    assert await listed(client, order="worst") == [critical, older, major, minor, warning]
    assert await listed(client, order="oldest") == [major, older, warning, critical, minor]
    assert await listed(client, order="deadline") == [minor, warning, critical, older, major]
    assert await listed(client) == sorted(alerts, reverse=True)
    shown = (await client.get(f"/api/v1/alerts/{minor}")).json()
    assert builders.instant(shown["work_due"]) == NOON + timedelta(hours=2)


async def test_alert_that_another_explains_comes_after_those_that_need_somebody(
    client: httpx2.AsyncClient, alerts: list[int], connection: asyncpg.Connection
) -> None:
    minor, critical, *_ = alerts
    await connection.execute("UPDATE alert SET inhibited_by = $2 WHERE id = $1", critical, minor)

    assert (await listed(client, order="worst"))[-1] == critical


@pytest.mark.parametrize(
    "words",
    [
        "الارز ٣",
        "شارع 3",
        "BIN-3",
        "bin-overflow bin-3",
        "ممتلئ ARZ-3",
        "plein bin-3",
        "حاوية الارز",
        "critique 3",
    ],
)
async def test_words_find_alerts_however_they_are_written(
    client: httpx2.AsyncClient, alerts: list[int], words: str
) -> None:
    expected = [] if "ARZ" in words else [alerts[3]]

    assert await listed(client, words=words) == expected


@pytest.mark.parametrize("words", ["fr", "bin-.", "bin-3|bin-4", "(", "\\d", "***=bin"])
async def test_codes_of_languages_and_signs_find_nothing(
    client: httpx2.AsyncClient, alerts: list[int], words: str
) -> None:
    assert await listed(client, words=words) == []


async def test_counts_say_how_many_of_what_is_asked_for(
    client: httpx2.AsyncClient, alerts: list[int], connection: asyncpg.Connection
) -> None:
    await client.post(f"/api/v1/alerts/{alerts[1]}/acknowledge")
    await builders.report(connection, await builders.add(connection, "bin-9"))

    answer = (await client.get("/api/v1/alerts/counts?state=firing")).json()
    said = {one["severity"]: (one["alerts"], one["unseen"]) for one in answer["items"]}

    assert said == {"critical": (2, 1), "major": (1, 1), "minor": (1, 1), "warning": (1, 1)}
    assert (answer["devices"], answer["reporting"]) == (6, 1)
    assert {one["rule"] for one in answer["items"]} == {"bin-overflow"}


async def test_team_finds_the_alerts_of_its_members_and_of_its_work(
    client: httpx2.AsyncClient, alerts: list[int]
) -> None:
    rima = {"name": "rima", "roles": ["technician@tripoli"]}
    (await client.post("/api/v1/users", json=rima)).raise_for_status()
    team = {"name": "lights", "municipality": "tripoli", "members": ["rima"]}
    (await client.post("/api/v1/teams", json=team)).raise_for_status()
    (await client.post(f"/api/v1/alerts/{alerts[0]}/assign", json={"to": "rima"})).raise_for_status()
    made = await client.post("/api/v1/work-orders", json={"alerts": [alerts[2]], "team": "lights"})
    made.raise_for_status()

    [found] = (await client.get(f"/api/v1/alerts/{alerts[0]}/people")).json()["items"]
    assert (found["name"], found["technician"], found["open_orders"]) == ("rima", True, 0)
    assert await listed(client, team="lights") == [alerts[2], alerts[0]]
    assert await listed(client, team="bins") == []
