"""What the queue can be asked for beside severity and place: a rule, what nobody has seen, a span of time."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2
import pytest

from tests.integration.api import builders
from tests.integration.api.builders import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
async def alerts(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> dict[str, int]:
    """Four alerts: of two rules, one acknowledged, one that ended at noon, one that opened an hour later."""
    devices = {name: await builders.add(connection, name) for name in ("bin-1", "bin-2", "bin-3", "bin-4")}
    found = {
        "plain": await builders.fire(connection, devices["bin-1"], at=NOON - 2 * HOUR),
        "seen": await builders.fire(connection, devices["bin-2"], rule="bin-moved", at=NOON - 2 * HOUR),
        "over": await builders.fire(connection, devices["bin-3"], at=NOON - 2 * HOUR),
        "later": await builders.fire(connection, devices["bin-4"], at=NOON + HOUR),
    }
    await builders.resolve(connection, devices["bin-3"])
    await client.post(f"/api/v1/alerts/{found['seen']}/acknowledge")
    return found


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"rule": "bin-moved"}, {"seen"}),
        ({"acknowledged": "true"}, {"seen"}),
        ({"acknowledged": "false", "state": "firing"}, {"plain", "later"}),
        ({"since": (NOON + HOUR).isoformat()}, {"plain", "seen", "later"}),
        ({"until": NOON.isoformat()}, {"plain", "seen", "over"}),
        (
            {"since": (NOON - 3 * HOUR).isoformat(), "until": (NOON - HOUR).isoformat()},
            {"plain", "seen", "over"},
        ),
    ],
)
async def test_queue_is_asked_by(
    client: httpx2.AsyncClient, alerts: dict[str, int], asked: dict[str, str], names: set[str]
) -> None:
    answer = await client.get("/api/v1/alerts", params=asked)

    assert answer.status_code == 200, answer.text
    assert {alert["id"] for alert in answer.json()["items"]} == {alerts[name] for name in names}
