"""The bridge as a process with its own account, killed while a downlink is on its way to ChirpStack."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from devices.commands.answered import get_command
from devices.registry.registration import NewDevice, add_devices
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from store.audit import PLATFORM
from tests import platform
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, say
from tests.integration.bridge.conftest import foreign as foreign
from tests.integration.bridge.servers import PROFILE, ChirpStack, chirpstack_up, serving
from tests.integration.ingest.conftest import KINDS
from tests.waiting import eventually, now

COMMANDS = f"/api/v1/devices/{EUI}/commands"
KILLS = 3
# Kills between handing over and remembering: that the broker took it is not remembered here.
FORGETFUL = """
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forget BEFORE UPDATE ON command FOR EACH ROW
WHEN (OLD.status = 'sent' AND NEW.status = 'delivered') EXECUTE FUNCTION forget();
"""


async def test_a_bridge_killed_while_it_hands_over_has_each_command_sent_once(
    dsn: str, mosquitto: Mosquitto, foreign: Mosquitto, tmp_path: Path
) -> None:
    names = ("ingest", "api", "bridge")
    async with (
        platform.running(dsn, mosquitto, tmp_path, processes=names) as running,
        serving(ChirpStack, foreign) as server,
    ):
        await platform.register(running)
        await running.database.execute(FORGETFUL)
        url = f"mqtt://{foreign.host}:{foreign.port}"
        new = NewSource(name="lora", municipality="tripoli", format="chirpstack", url=url, profile=PROFILE)
        await add_source(running.database, KINDS, new, ALL, now, by=PLATFORM)
        told = NewDevice(name=EUI, kind="bin", municipality="tripoli", relays=("lora",))
        await add_devices(running.database, KINDS, [told], now, by=PLATFORM)

        async def learned() -> bool:
            await say(foreign, chirpstack_up())
            return bool(await running.database.fetchval("SELECT count(*) FROM downlink_topic"))

        await eventually(learned)
        given: list[str] = []

        async def pushed() -> bool:
            return given[-1] in {said["id"] for _, said in server.pushed}

        async def ended() -> bool:
            found = [await get_command(running.database, UUID(one)) for one in given]
            return {one.status for one in found} == {"succeeded"}

        for _ in range(KILLS):
            answer = await running.http.post(COMMANDS, json={"name": "reboot"})
            assert answer.status_code == 202, answer.text
            given.append(answer.json()["id"])
            await eventually(pushed)
            running.kill("bridge")
            # The server sends it while nobody listens, and takes its id again. Half a minute is over.
            await server.send()
            await running.database.execute("UPDATE command SET due_at = now() WHERE status = 'sent'")
            await eventually(ended, within=60)

        assert [said["id"] for _, said in server.pushed] == given
        assert server.sent == dict.fromkeys(given, 1)
