"""What people read of notifications: by API, at the command line, and from doctor."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest
from typer.testing import CliRunner

from nabd.cli import app
from nabd.doctor.running.notifier import check_notifier
from nabd.settings import Settings
from notify.message import Undelivered
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.conftest import bearing
from tests.integration.notify.scene import Scene, fire


@pytest.fixture
async def told(scene: Scene) -> tuple[Scene, int]:
    """Return an alert of which amal was told, after a failure; the chief is next."""
    scene.channels["ntfy"].fails["amal"] = Undelivered("503", retry_after_s=10.0)
    alert = await fire(scene.connection, "bin-1")
    await scene.turn()
    scene.channels["ntfy"].fails.clear()
    await scene.turn(10)
    return scene, alert


async def test_an_alert_says_who_was_told_when_and_what_the_service_answered(
    told: tuple[Scene, int], pool: asyncpg.Pool
) -> None:
    scene, alert = told
    async with bearing(pool, await builders.token(scene.connection, "Samir")) as client:
        found = (await client.get(f"/api/v1/alerts/{alert}/notifications")).json()
        channels = (await client.get("/api/v1/notifications/channels")).json()["channels"]
        missing = await client.get("/api/v1/alerts/999/notifications")

    assert (found["escalation"]["state"], found["escalation"]["step"]) == ("telling", 1)
    [delivery] = found["deliveries"]
    assert (delivery["person"], delivery["channel"], delivery["state"]) == ("amal", "ntfy", "delivered")
    assert [a["answer"] for a in delivery["attempts"]] == ["503", "200 OK"]
    assert "address" not in delivery
    assert [(c["channel"], c["answer"], c["failing_since"]) for c in channels] == [("ntfy", "200 OK", None)]
    assert missing.status_code == 404


async def test_who_may_not_see_names_sees_when_and_how_but_not_whom(
    told: tuple[Scene, int], pool: asyncpg.Pool
) -> None:
    scene, alert = told
    token = await builders.token(scene.connection, "ministry", role=Role.MINISTRY)
    async with bearing(pool, token) as client:
        [delivery] = (await client.get(f"/api/v1/alerts/{alert}/notifications")).json()["deliveries"]
        [channel] = (await client.get("/api/v1/notifications/channels")).json()["channels"]

    assert (delivery["person"], delivery["answer"], delivery["state"]) == (None, None, "delivered")
    assert [a["answer"] for a in delivery["attempts"]] == [None, None]
    assert (channel["channel"], channel["answer"]) == ("ntfy", None)


def _nabd(*arguments: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_the_command_line_shows_the_same_and_the_address(
    told: tuple[Scene, int], dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, alert = told
    monkeypatch.setenv("NABD_DATABASE", dsn)

    [one] = await asyncio.to_thread(_nabd, "notify", "log", "--alert", str(alert))
    assert (one["person"], one["address"], one["state"], one["alerts"]) == (
        "amal",
        "amal",
        "delivered",
        [alert],
    )
    assert await asyncio.to_thread(_nabd, "notify", "log") == [one]
    assert await asyncio.to_thread(_nabd, "notify", "log", "--channel", "sms") == []
    for wrong, said in (("--alert", "no alert is called '99'"), ("--state", "not-needed")):
        result = await asyncio.to_thread(CliRunner().invoke, app, ["notify", "log", wrong, "99"])
        assert result.exit_code != 0
        assert said in result.output
    [status] = await asyncio.to_thread(_nabd, "notify", "status")
    assert status["notifier"]["waiting"] == 0  # type: ignore[index]
    assert [c["channel"] for c in status["channels"]] == ["ntfy"]  # type: ignore[attr-defined]


async def test_doctor_says_whether_anybody_is_told(connection: asyncpg.Connection) -> None:
    settings = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own argument
    assert "nobody is told" in (await check_notifier(connection, settings)).said

    await connection.execute("UPDATE notifier SET alive_at = now() - interval '1 minute'")
    assert "silent for" in (await check_notifier(connection, settings)).said

    await connection.execute("UPDATE notifier SET alive_at = now()")
    assert (await check_notifier(connection, settings)).verdict == "fine"

    await connection.execute("INSERT INTO channel_state VALUES ('sms', now(), '503 busy', now())")
    assert (await check_notifier(connection, settings)).said == "sms fails: 503 busy"
