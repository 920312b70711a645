"""What network servers post of downlinks moves commands, as what they say at their broker does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from devices.commands import downlinks
from devices.commands.answered import get_command
from devices.commands.details import CONFIRMED, SENT, SENT_UNCONFIRMED, UNCONFIRMED_EVER, UNCONFIRMED_ONCE
from devices.commands.new_command import NewCommand
from devices.commands.queue import enqueue
from devices.registry import editing
from devices.registry.registry import Device, get_device
from devices.sources import webhooks
from devices.sources.installed import InstalledDevices
from devices.sources.listing import get_source
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from devices.wire.adapters.downlink import Downlink
from store.audit import PLATFORM
from tests.integration.incoming.conftest import EUI, SECRET, WayIn, open_webhook
from tests.integration.ingest.conftest import KINDS
from tests.waiting import now


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A device that a network server is told of at its broker (source `told`), and that it posts of."""

    way_in: WayIn
    device: Device

    async def at_the_server(self, *, confirmed: bool = True) -> UUID:
        """Give a command that the bridge has handed over."""
        connection = self.way_in.town.connection
        one = Downlink(port=85, payload=b"\xff", confirmed=confirmed)
        new = NewCommand(
            id=uuid4(), device=self.device, name="reboot", args={}, expires_at=now() + 10**9, downlink=one
        )
        await enqueue(connection, [new], now, by=PLATFORM)
        source = await get_source(connection, "told")
        assert await downlinks.take(connection, source.id, now, repeats=True)
        await downlinks.mark_delivered(connection, new.id, now)
        return new.id

    async def posts(self, body: dict[str, Any], event: str = "") -> None:
        """Let the server post something, which is answered once it is stored."""
        bearer = {"Authorization": f"Bearer {SECRET}"}
        answer = await self.way_in.client.post(
            "/api/v1/webhooks/lorawan", params={"event": event}, json=body, headers=bearer
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["elements"] == []

    async def stands(self, command: UUID) -> tuple[str, str | None]:
        found = await get_command(self.way_in.town.connection, command)
        return found.status, found.detail


@pytest.fixture
async def told(way_in: WayIn, request: pytest.FixtureRequest) -> Told:
    connection, format_name = way_in.town.connection, request.param
    await open_webhook(way_in.town, format_name)
    at_broker = NewSource(
        name="told",
        municipality="tripoli",
        format=format_name,
        url="mqtts://lora.example",
        profile="decentlab-dl-mbx",
    )
    source = await add_source(connection, KINDS, at_broker, ALL, now, by=PLATFORM)
    change = {"relays": ["lorawan", "told"]}
    await editing.edit_device(connection, KINDS, EUI, change, now=now, by=PLATFORM)
    device = await get_device(connection, EUI)
    await downlinks.learn_topic(connection, device, source.id, f"application/1/device/{EUI}", json=True)
    return Told(way_in=way_in, device=device)


@pytest.mark.parametrize("told", ["things_stack"], indirect=True)
async def test_what_the_things_stack_posts_of_a_downlink_is_its_command_s_state(told: Told) -> None:
    given = await told.at_the_server()
    ids = {"device_id": "bin-1", "dev_eui": EUI}
    about = {"correlation_ids": [f"nabd:command:{given}", "as:downlink:01H"]}

    await told.posts({"end_device_ids": ids, "downlink_queued": about})
    assert await told.stands(given) == ("delivered", None)
    await told.posts({"end_device_ids": ids, "downlink_sent": about})
    assert await told.stands(given) == ("delivered", SENT)
    await told.posts({"end_device_ids": ids, "downlink_nack": about})
    assert await told.stands(given) == ("delivered", UNCONFIRMED_ONCE)
    await told.posts({"end_device_ids": ids, "downlink_ack": about})
    await told.posts({"end_device_ids": ids, "downlink_nack": about})
    assert await told.stands(given) == ("succeeded", CONFIRMED)

    failed = await told.at_the_server()
    error = {"message_format": "no gateway is near"}
    one = {"downlink": {"correlation_ids": [f"nabd:command:{failed}"]}, "error": error}
    await told.posts({"end_device_ids": ids, "downlink_failed": one})
    assert await told.stands(failed) == ("failed", "no gateway is near")


@pytest.mark.parametrize("told", ["chirpstack"], indirect=True)
async def test_what_chirpstack_posts_of_a_downlink_is_its_command_s_state(told: Told) -> None:
    given, plain, lost = [await told.at_the_server(confirmed=asked) for asked in (True, False, True)]
    info = {"deviceInfo": {"devEui": EUI.lower()}}

    for one in (given, plain):
        await told.posts({**info, "queueItemId": str(one)}, "txack")
    assert await told.stands(given) == ("delivered", SENT)
    assert await told.stands(plain) == ("succeeded", SENT_UNCONFIRMED)
    await told.posts({**info, "queueItemId": str(given), "acknowledged": True}, "ack")
    assert await told.stands(given) == ("succeeded", CONFIRMED)
    await told.posts({**info, "queueItemId": str(lost), "acknowledged": False}, "ack")
    assert await told.stands(lost) == ("failed", UNCONFIRMED_EVER)


@pytest.mark.parametrize("told", ["chirpstack"], indirect=True)
async def test_a_webhook_that_does_not_relay_a_device_moves_none_of_its_commands(told: Told) -> None:
    given = await told.at_the_server()
    connection = told.way_in.town.connection
    await editing.edit_device(connection, KINDS, EUI, {"relays": ["told"]}, now=now, by=PLATFORM)

    await told.posts({"deviceInfo": {"devEui": EUI}, "queueItemId": str(given), "acknowledged": True}, "ack")
    await told.posts({"deviceInfo": {"devEui": "70B3D57BA0009999"}, "queueItemId": str(given)}, "txack")

    assert await told.stands(given) == ("delivered", None)


@pytest.mark.parametrize("told", ["chirpstack"], indirect=True)
async def test_words_that_are_posted_late_or_again_take_nothing_back(told: Told) -> None:
    given = await told.at_the_server()
    connection = told.way_in.town.connection
    about = {"deviceInfo": {"devEui": EUI}, "queueItemId": str(given)}
    early, late = "2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z"
    await told.posts({**about, "time": late}, "txack")
    await connection.execute("UPDATE command SET detail = $1", UNCONFIRMED_ONCE)
    since = await connection.fetchval("SELECT updated_at FROM command")

    await told.posts({**about, "time": early}, "txack")
    await told.posts({**about, "time": late}, "txack")

    assert await told.stands(given) == ("delivered", UNCONFIRMED_ONCE)
    assert await connection.fetchval("SELECT updated_at FROM command") == since


@pytest.mark.parametrize("told", ["chirpstack"], indirect=True)
async def test_words_about_a_device_that_was_registered_a_moment_ago_are_heard_and_strangers_cost_little(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[asyncpg.Connection] = []
    look = InstalledDevices.look

    async def watched(self: InstalledDevices, connection: asyncpg.Connection) -> None:
        looks.append(connection)
        await look(self, connection)

    monkeypatch.setattr(InstalledDevices, "look", watched)
    given = await told.at_the_server()
    connection = told.way_in.town.connection

    async def posts(device: str) -> None:
        about = {"deviceInfo": {"devEui": device}, "queueItemId": str(given), "acknowledged": True}
        await told.posts(about, "ack")

    async def relays(*gateways: str) -> None:
        await editing.edit_device(connection, KINDS, EUI, {"relays": list(gateways)}, now=now, by=PLATFORM)

    await relays("told")
    await posts("70B3D57BA0009999")
    await relays("lorawan", "told")
    monkeypatch.setattr(webhooks, "STRANGER_S", 0.0)

    await posts(EUI)

    assert await told.stands(given) == ("succeeded", CONFIRMED)
    monkeypatch.setattr(webhooks, "STRANGER_S", 60.0)
    seen = len(looks)
    for n in range(20):
        await posts(f"70B3D57BA00088{n:02}")
    assert len(looks) == seen


@pytest.mark.parametrize("told", ["chirpstack"], indirect=True)
async def test_a_device_that_joins_is_told_at_once_what_nobody_took(told: Told) -> None:
    given = await told.at_the_server()
    connection = told.way_in.town.connection
    await connection.execute(
        "UPDATE command SET status = 'queued', tries = 3, due_at = now() + interval '1 hour'"
    )

    await told.posts({"deviceInfo": {"devEui": EUI}}, "join")

    assert await connection.fetchval("SELECT due_at < now() + interval '1 minute' FROM command")
    source = await get_source(connection, "told")
    due = await downlinks.take(connection, source.id, now, repeats=True)
    assert due is not None
    assert due.id == given
