"""Which devices are told something by whom, and what is refused when it is asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from devices.commands.answered import list_commands
from devices.registry.errors import Conflict
from devices.sources.registration import edit_source
from devices.sources.source import Way
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, bridging, register, say
from tests.integration.bridge.servers import (
    PROFILE,
    ChirpStack,
    add,
    chirpstack_up,
    learned,
    serving,
    stands,
    tell,
)
from tests.integration.bridge.test_bridge import heard
from tests.integration.ingest.conftest import KINDS, Town
from tests.parts import need_mosquitto
from tests.waiting import eventually, now

PLACE = ChirpStack.PLACE


async def test_another_source_neither_gets_a_device_s_commands_nor_says_what_became_of_them(
    town: Town, foreign: Mosquitto
) -> None:
    await town.start()
    async with bridging(town) as bridged, serving(ChirpStack, foreign) as server:
        await add(bridged, foreign, "chirpstack")
        topics = ["other/application/+/device/+/event/+"]
        await bridged.add("other", foreign, "chirpstack", profile=PROFILE, topics=topics)
        await heard(bridged, "other")
        await learned(town, partial(say, foreign, chirpstack_up()))
        given = await tell(town, "set_interval", interval_s=600)
        await stands(town, given, "delivered", None)

        await server.event("ack", f"other/{PLACE}", queueItemId=str(given.id), acknowledged=False)
        # A payload may name any device; its topic is another's.
        heard_before = (await bridged.state("lora")).messages
        await server.event("status", "application/7b1c/device/24e124136a0000ff")

        async def counted() -> bool:
            other, lora = await bridged.state("other"), await bridged.state("lora")
            return bool(other.messages == 1 and lora.messages > heard_before)

        await eventually(counted)
        await stands(town, given, "delivered", None)
        assert await town.connection.fetchval("SELECT topic FROM downlink_topic") == PLACE
        assert len(server.pushed) == 1


async def test_a_command_that_cannot_be_said_is_refused_when_it_is_asked_for(
    town: Town, foreign: Mosquitto
) -> None:
    async with bridging(town) as bridged:
        await bridged.add("lora", foreign, "chirpstack")
        await register(town, EUI, "lora")

        async def edit(**changes: Any) -> None:
            await edit_source(town.connection, KINDS, "lora", changes, ALL, now, by=PLATFORM)

        with pytest.raises(Conflict, match="no profile says how device"):
            await tell(town, "reboot")
        await edit(profile=PROFILE)
        with pytest.raises(
            Conflict, match=r"does not say how calibrate .*reboot, set_interval.*downlinks.calibrate"
        ):
            await tell(town, "calibrate")
        with pytest.raises(Conflict, match="interval_s: 86400 does not fit into u16"):
            await tell(town, "set_interval", interval_s=86_400)
        with pytest.raises(Conflict, match=r"60\.5 there, which is not whole"):
            await tell(town, "set_interval", interval_s=60.5)
        await edit(enabled=False)
        with pytest.raises(Conflict, match="source 'lora' is disabled"):
            await tell(town, "reboot")
        await edit(enabled=True, url="", topics=["foreign/tripoli/#"])
        with pytest.raises(Conflict, match="heard at our own broker"):
            await tell(town, "reboot")
        await edit(way=Way.WEBHOOK, topics=[])
        with pytest.raises(Conflict, match="posts to us"):
            await tell(town, "reboot")
        await edit(format="senml_json")
        with pytest.raises(Conflict, match="speaks through gateways alone"):
            await tell(town, "reboot")
        assert await list_commands(town.connection) == []


async def test_a_broker_that_does_not_let_us_tell_devices_anything_is_said(
    town: Town, tmp_path: Path
) -> None:
    need_mosquitto()
    (tmp_path / "acl").write_text("topic read #\ntopic write application/+/device/+/event/+\n")
    (tmp_path / "strict").mkdir()
    await town.start()
    with Mosquitto(tmp_path / "strict", settings=f"acl_file {tmp_path / 'acl'}") as strict:
        async with bridging(town) as bridged:
            await add(bridged, strict, "chirpstack")
            await learned(town, partial(say, strict, chirpstack_up()))
            given = await tell(town, "reboot")

            why = "the broker of source lora refuses it (code 0x87): its account may not publish it"
            await stands(town, given, "queued", why)
