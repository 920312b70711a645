"""Commands become downlinks of The Things Stack, each once, and what it says of them is their state."""

from __future__ import annotations

import base64
from functools import partial

from devices.commands.details import CONFIRMED, NOT_KNOWN, SENT, UNCONFIRMED_ONCE
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import bridging
from tests.integration.bridge.servers import ThingsStack, add, learned, serving, stands, tell, uplink
from tests.integration.bridge.test_kills import Killed
from tests.integration.ingest.conftest import Town


async def test_a_command_to_a_device_of_the_things_stack_is_pushed_and_followed_to_its_end(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(ThingsStack, foreign) as server:
        await add(bridged, foreign, "things_stack", protocol="3.1.1")
        await learned(town, partial(server.message, "join", join_accept={"session_key_id": "AXA="}))
        given = await tell(town, "set_interval", interval_s=1200)
        await server.has(1)

        ((topic, said),) = server.pushed
        assert topic == f"{ThingsStack.PLACE}/down/push"
        names = [f"nabd:command:{given.id}"]
        downlink = {
            "f_port": 85,
            "frm_payload": base64.b64encode(bytes.fromhex("ff03b004")).decode(),
            "confirmed": True,
            "priority": "NORMAL",
            "correlation_ids": names,
        }
        assert said == {"downlinks": [downlink]}
        about = {**downlink, "correlation_ids": [*names, "as:downlink:01H"]}
        await server.message("down/queued", downlink_queued=about)
        await stands(town, given, "delivered", None)
        await server.message("down/sent", downlink_sent=about)
        await stands(town, given, "delivered", SENT)
        await server.message("down/nack", downlink_nack=about)
        await stands(town, given, "delivered", UNCONFIRMED_ONCE)
        await server.message("down/ack", downlink_ack=about)
        await stands(town, given, "succeeded", CONFIRMED)

        failed = await tell(town, "reboot")
        await server.has(2)
        about = {"correlation_ids": [f"nabd:command:{failed.id}"]}
        error = {"message_format": "no gateway is near"}
        await server.message("down/failed", downlink_failed={"downlink": about, "error": error})
        await stands(town, failed, "failed", "no gateway is near")


async def test_a_bridge_that_ends_after_pushing_to_the_things_stack_never_pushes_again(
    town: Town, foreign: Mosquitto
) -> None:
    """It takes whatever is pushed as another downlink: what it then says of it tells that it has it."""
    await town.start()
    ends = ["handed over"]

    def step(name: str) -> None:
        if ends and name == ends[0]:
            ends.pop()
            raise Killed

    async with bridging(town, step) as bridged, serving(ThingsStack, foreign) as server:
        await add(bridged, foreign, "things_stack")
        await learned(town, partial(server.message, "up", uplink_message=uplink()))
        given = await tell(town, "reboot")
        await server.has(1)
        await stands(town, given, "sent", NOT_KNOWN)
        other = await tell(town, "reboot")  # others go on
        await stands(town, other, "delivered", None)

        await server.message("down/queued", downlink_queued={"correlation_ids": [f"nabd:command:{given.id}"]})
        await stands(town, given, "delivered", None)
        assert len(server.pushed) == 2
