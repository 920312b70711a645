"""The broker as it is deployed: deploy/mosquitto/start with its watcher, all doors, and files of secrets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.production.layout import DEPLOY, DOORS, ProductionLayout
from bench.throughput.children import ChildFailed, child, last_words
from nabd.embedded.broker import HOST, find_mosquitto
from nabd.systemd.units import UNITS

OPENS_WITHIN_S = 30.0


@asynccontextmanager
async def running(layout: ProductionLayout) -> AsyncIterator[None]:
    """Run it until the context ends; every door is open at its beginning.

    Raises:
        ChildFailed: there is no mosquitto, or it did not open its doors.
    """
    program = find_mosquitto()
    if program is None:
        raise ChildFailed("mosquitto is not here: apt-get install mosquitto")
    for name in ("broker", "broker-files"):
        (layout.state / name).mkdir(parents=True, exist_ok=True)
    unit = next(unit for unit in UNITS if unit.name == "nabd-broker")
    doors = {f"MQTT_{door.upper()}_DOOR": f"{HOST}:{layout.ports[door]}" for door in DOORS}
    path = os.pathsep.join((os.environ["PATH"], str(Path(program).parent)))
    environment = layout.environment(unit) | doors | {"PATH": path, "MQTT_WATCH_SECONDS": "0.5"}
    log = layout.logs / "broker.log"
    async with child([str(DEPLOY / "mosquitto/start"), str(_settings(layout))], log, environment) as process:
        for door in DOORS:
            await _wait_for(layout.ports[door], process, log)
        yield


def _settings(layout: ProductionLayout) -> Path:
    """Return the deployed settings, as a file that root's broker reads as root."""
    # Started by root, the broker would become `mosquitto`, who may not read this directory.
    own = "user root\n" if os.geteuid() == 0 else ""
    file = layout.directory / "etc/mosquitto.conf"
    file.write_text((DEPLOY / "mosquitto/mosquitto.conf").read_text(encoding="utf-8") + own, encoding="utf-8")
    return file


async def _wait_for(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + OPENS_WITHIN_S
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            if process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise ChildFailed(f"the broker does not listen on {port}:\n{last_words(log)}") from None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
