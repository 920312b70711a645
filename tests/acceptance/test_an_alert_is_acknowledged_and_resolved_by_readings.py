"""The second journey: readings open an alert, a person acknowledges it, and only readings end it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from devices.registry.registration import NewDevice
from tests.brokers import Broker
from tests.platform import Platform, register, running
from tests.waiting import eventually, now

TOPIC = "nabd/v1/tripoli/bin/TRP-1/telemetry"


async def alerts(platform: Platform, state: str) -> Any:
    return (await platform.get("/api/v1/alerts", state=state))["items"]


async def readings(platform: Platform) -> Any:
    return (await platform.get("/api/v1/devices/TRP-1/readings"))["readings"]


async def test_an_alert_is_acknowledged_and_resolved_by_readings(
    dsn: str, broker: Broker, tmp_path: Path
) -> None:
    async with running(dsn, broker, tmp_path) as platform:
        await register(platform, NewDevice(name="TRP-1", kind="bin", municipality="tripoli", title="Souk"))
        start = now() // 1000 - 3_600_000

        # One reading over the limit is not enough: the rule wants two.
        await platform.publish((TOPIC, {"ts": start, "fill_pct": 90}))
        await eventually(lambda: readings(platform))
        assert await alerts(platform, "firing") == []

        # The second opens the alert, at the instant at which the device observed it.
        await platform.publish((TOPIC, {"ts": start + 600_000, "fill_pct": 91}))
        (alert,) = await eventually(lambda: alerts(platform, "firing"))
        assert (alert["rule"], alert["device"], alert["severity"]) == ("bin-overflow", "TRP-1", "warning")
        assert set(alert["summary"]) == {"en", "fr", "ar"}
        assert "91" in alert["summary"]["en"]

        # A person acknowledges it; that does not end it.
        answer = await platform.http.post(f"/api/v1/alerts/{alert['id']}/acknowledge")
        assert answer.status_code == 200, answer.text
        assert answer.json()["acknowledged_by"] == "operator"
        assert len(await alerts(platform, "firing")) == 1

        # Neither does a small drop: between the limits the alert stays.
        await platform.publish((TOPIC, {"ts": start + 1_200_000, "fill_pct": 80}))
        # Emptied, and still empty after the rule's patience: readings end it.
        await platform.publish(
            (TOPIC, {"ts": start + 1_800_000, "fill_pct": 5}),
            (TOPIC, {"ts": start + 2_400_000, "fill_pct": 6}),
        )
        (resolved,) = await eventually(lambda: alerts(platform, "resolved"))
        assert (resolved["id"], resolved["acknowledged_by"]) == (alert["id"], "operator")

        # Whoever missed it is told the whole story in order, once.
        story: list[str] = []

        async def read_story() -> None:
            async for event in platform.events("alert", last_event_id="0-0"):
                story.append(event["event"]["type"])
                if story[-1] == "resolved":
                    return

        await asyncio.wait_for(read_story(), 20)
        assert story == ["opened", "acknowledged", "resolved"]
