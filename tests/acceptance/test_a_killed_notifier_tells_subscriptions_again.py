"""The subscriber's journey: another system hears of each new reading, also when what tells it is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from devices.registry.registration import NewDevice
from tests.brokers import Broker
from tests.platform import Platform, register, running
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.waiting import eventually, now

TOPIC = "nabd/v1/tripoli/bin/TRP-1/telemetry"
PATH = "/ngsi-ld/v1/subscriptions"


async def test_a_killed_notifier_tells_subscriptions_again(dsn: str, broker: Broker, tmp_path: Path) -> None:
    async with (
        serving(HttpService(http(204))) as receiver,
        running(dsn, broker, tmp_path, processes=("ingest", "notify", "api")) as platform,
    ):
        await register(platform, NewDevice(name="TRP-1", kind="bin", municipality="tripoli"))
        made = await platform.http.post(
            PATH,
            json={
                "type": "Subscription",
                "entities": [{"type": "WasteContainer"}],
                "notification": {"format": "keyValues", "endpoint": {"uri": receiver.url}},
            },
        )
        assert made.status_code == 201, made.text

        # A reading is told within seconds of being stored.
        await reports(platform, 25)
        await eventually(lambda: told(receiver, 0.25))

        # While nobody tells, the receiver is away, or what tells is killed in the middle, nothing is lost.
        receiver.hangs = True
        await reports(platform, 50)
        await eventually(lambda: told(receiver, 0.5))
        platform.kill("notify")
        receiver.hangs = False
        heard = len(receiver.asked)
        await eventually(lambda: told(receiver, 0.5, after=heard))
        platform.kill("notify")
        await reports(platform, 75)
        await eventually(lambda: told(receiver, 0.75))

        found = await platform.get(made.headers["location"])
        assert (found["status"], found["notification"]["status"]) == ("active", "ok")


async def reports(platform: Platform, fill_pct: float) -> None:
    await platform.publish((TOPIC, {"ts": now() // 1000, "fill_pct": fill_pct, "temperature_c": 20}))


async def told(receiver: HttpService, level: float, after: int = 0) -> bool:
    """Tell whether a notification holds a fill level."""
    bodies: list[dict[str, Any]] = [json.loads(one.body) for one in receiver.asked[after:]]
    return any(one.get("fillingLevel") == level for body in bodies for one in body["data"])
