"""Commands become downlinks of ChirpStack, each once, and what it says of them is their state."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from devices.commands.answered import get_command, list_commands
from devices.commands.details import CONFIRMED, SENT, SENT_UNCONFIRMED, UNCONFIRMED_EVER, UNHEARD
from devices.commands.new_command import DOWNLINK_EXPIRES_AFTER_S
from devices.commands.queue import UNCONFIRMED
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, bridging, say
from tests.integration.bridge.servers import ChirpStack, add, chirpstack_up, learned, serving, stands, tell
from tests.integration.bridge.test_kills import Killed
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

PLACE = ChirpStack.PLACE


async def test_a_command_to_a_device_of_chirpstack_is_handed_over_and_followed_to_its_end(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(ChirpStack, foreign) as server:
        await add(bridged, foreign, "chirpstack")
        given = await tell(town, "set_interval", interval_s=1200)
        waits = given.expires_at - given.created_at
        assert abs(waits - timedelta(seconds=DOWNLINK_EXPIRES_AFTER_S)) < timedelta(seconds=1)
        await stands(town, given, "queued", UNHEARD)
        assert server.pushed == []

        await learned(town, partial(say, foreign, chirpstack_up()))
        await stands(town, given, "delivered", None)
        await server.has(1)
        (topic, said), *more = server.pushed
        assert more == []
        assert topic == f"{PLACE}/command/down"
        assert datetime.fromisoformat(said.pop("expiresAt")) == given.expires_at
        assert said == {
            "id": str(given.id),
            "devEui": EUI.lower(),
            "confirmed": True,
            "fPort": 85,
            "data": base64.b64encode(bytes.fromhex("ff03b004")).decode(),
        }
        await server.event("txack", queueItemId=str(given.id))
        await stands(town, given, "delivered", SENT)
        await server.event("ack", queueItemId=str(given.id), acknowledged=True)
        await stands(town, given, "succeeded", CONFIRMED)
        # Nothing follows: neither what is heard late, nor what speaks of others' downlinks.
        await server.event("ack", queueItemId=str(given.id), acknowledged=False)
        await server.event("ack", queueItemId=str(uuid4()), acknowledged=False)

        ignored = await tell(town, "set_interval", interval_s=600)
        await server.has(2)
        await server.event("ack", queueItemId=str(ignored.id), acknowledged=False)
        await stands(town, ignored, "failed", UNCONFIRMED_EVER)
        reboot = await tell(town, "reboot")
        await server.has(3)
        assert (server.pushed[2][1]["confirmed"], server.pushed[2][1]["data"]) == (False, "/xD/")
        await server.event("txack", queueItemId=str(reboot.id))
        await stands(town, reboot, "succeeded", SENT_UNCONFIRMED)
        too_long = await tell(town, "set_interval", interval_s=60)
        await server.has(4)
        context = {"queue_item_id": str(too_long.id)}
        await server.event(
            "log", level="ERROR", code="DOWNLINK_PAYLOAD_SIZE", description="11 > 4", context=context
        )
        await stands(town, too_long, "failed", "ERROR DOWNLINK_PAYLOAD_SIZE: 11 > 4")

        found = await list_commands(town.connection)
        assert [one.status for one in reversed(found)] == ["succeeded", "failed", "succeeded", "failed"]


class Kill:
    """Ends what runs at a step, once."""

    def __init__(self, step: str) -> None:
        self.waiting = [step]

    def __call__(self, step: str) -> None:
        if step in self.waiting:
            self.waiting.remove(step)
            raise Killed

    async def done(self) -> bool:
        return not self.waiting


async def is_due(town: Town) -> None:
    """Let half a minute be over: what is not known to have arrived is handed over again."""
    await town.connection.execute("UPDATE command SET due_at = due_at - $1::interval", UNCONFIRMED)


@pytest.mark.parametrize(("killed_after", "refused"), [("taken", 0), ("handed over", 1)])
async def test_a_bridge_that_ends_between_marking_and_remembering_hands_the_same_downlink_over_again(
    town: Town, foreign: Mosquitto, killed_after: str, refused: int
) -> None:
    """ChirpStack refuses an id that waits already: what comes again is no second downlink."""
    await town.start()
    kill = Kill(killed_after)
    async with bridging(town, kill) as bridged, serving(ChirpStack, foreign) as server:
        await add(bridged, foreign, "chirpstack")
        await learned(town, partial(say, foreign, chirpstack_up()))
        given = await tell(town, "reboot")
        await stands(town, given, "sent", None)
        await eventually(kill.done)

        async def delivered() -> bool:
            await is_due(town)
            return (await get_command(town.connection, given.id)).status == "delivered"

        await eventually(delivered)
        assert server.refused == [str(given.id)] * refused
        await server.send()
        await stands(town, given, "succeeded", SENT_UNCONFIRMED)
        assert server.sent == {str(given.id): 1}


async def test_what_was_sent_while_the_bridge_was_away_is_not_handed_over_again(
    town: Town, foreign: Mosquitto
) -> None:
    """Its id is free again at the server: what the server has said of it is heard first."""
    await town.start()
    kill = Kill("handed over")
    async with serving(ChirpStack, foreign) as server:
        async with bridging(town, kill) as bridged:
            await add(bridged, foreign, "chirpstack")
            await learned(town, partial(say, foreign, chirpstack_up()))
            given = await tell(town, "reboot")
            await eventually(kill.done)
            await server.has(1)
        await server.send()
        await is_due(town)
        async with bridging(town):
            await stands(town, given, "succeeded", SENT_UNCONFIRMED)

            next_one = await tell(town, "reboot")
            await stands(town, next_one, "delivered", None)
        assert [said["id"] for _, said in server.pushed] == [str(given.id), str(next_one.id)]


async def test_what_nobody_takes_waits_says_why_and_is_not_handed_over_after_its_time(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged:
        await add(bridged, foreign, "chirpstack")
        await learned(town, partial(say, foreign, chirpstack_up()))
        late = await tell(town, "reboot", after_s=1)
        given = await tell(town, "reboot")
        why = "nobody hears it at the broker of source lora: does its network server run?"
        await stands(town, given, "queued", why)

        async def over() -> bool:
            return now() > (late.expires_at.timestamp() + 0.5) * 1_000_000

        await eventually(over)
        async with serving(ChirpStack, foreign) as server:
            # It has joined: what waits is handed over at once.
            await server.event("join")
            await stands(town, given, "delivered", None)
            await server.has(1)
            assert [said["id"] for _, said in server.pushed] == [str(given.id)]
