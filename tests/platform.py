"""The platform as users meet it: its own processes, on a real broker and a real database."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg
import httpx2

from devices import kinds as declared
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from nabd.accounts.grants import Account
from nabd.embedded.broker import free_port
from nabd.embedded.parts import migrated
from nabd.settings import Settings, environment
from nabd.supervisor import Child, Supervisor, last_lines
from store.audit import PLATFORM
from store.pool import connect
from tests.brokers import Broker
from tests.databases import as_account
from tests.integration.api import builders
from tests.waiting import eventually, now


@dataclass
class Platform:
    """Running processes, and what a test needs to speak with them."""

    settings: Settings
    supervisor: Supervisor
    http: httpx2.AsyncClient
    database: asyncpg.Connection
    directory: Path

    async def publish(self, *messages: tuple[str, Any], device: str = "publisher") -> None:
        """Publish JSON at QoS 1 as one device."""
        assert self.settings.broker is not None
        host, port = self.settings.broker.removeprefix("mqtt://").split(":")
        async with aiomqtt.Client(
            host, int(port), identifier=device, protocol=aiomqtt.ProtocolVersion.V5
        ) as client:
            for topic, payload in messages:
                await client.publish(topic, json.dumps(payload), qos=1)

    def child(self, name: str) -> Child:
        """Return a process of the platform by its name."""
        return next(child for child in self.supervisor.children if child.name == name)

    def kill(self, name: str) -> None:
        """Kill a process without warning; the supervisor starts it again."""
        process = self.child(name).process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)

    async def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET."""
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def events(self, name: str, *, last_event_id: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Yield the data of live events of one name."""
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        async with self.http.stream("GET", "/api/v1/stream", headers=headers, timeout=60) as answer:
            event = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: ") and event == name:
                    yield json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def running(
    dsn: str,
    broker: Broker,
    directory: Path,
    *,
    processes: tuple[str, ...] = ("ingest", "sweep", "api"),
    kinds_dir: Path | None = None,
) -> AsyncIterator[Platform]:
    """Run the platform until the context ends. Tripoli is registered, and takes in unknown devices."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        broker=f"mqtt://{broker.host}:{broker.port}",
        data_dir=directory,
        http_port=free_port(),
        kinds_dir=kinds_dir,
        keep_alive_s=4,
        receive_maximum=100,
        source_targets=[broker.host],
        webhook_targets=["127.0.0.1"],
    )
    await migrated(settings)
    database = await connect(dsn)
    try:
        async with Supervisor(environment(settings)) as supervisor:
            for name in processes:
                log = directory / "logs" / f"{name}.log"
                own = {"NABD_DATABASE": as_account(dsn, Account(name))}
                await supervisor.start(Child(name=name, arguments=[name], log=log, environment=own))
            base = f"http://{settings.http_host}:{settings.http_port}"
            await builders.let_in(database)
            async with httpx2.AsyncClient(base_url=base, timeout=10, headers=builders.BEARER) as http:
                platform = Platform(settings, supervisor, http, database, directory)
                try:
                    await _until_ready(platform, "api" in processes)
                    yield platform
                except BaseException:
                    for child in supervisor.children:
                        print(f"--- {child.name}\n{last_lines(child.log, 40)}")
                    raise
    finally:
        await database.close()


async def _until_ready(platform: Platform, has_api: bool) -> None:
    async def caught_up() -> Any:
        return await platform.database.fetchval("SELECT caught_up_at FROM shard")

    async def answers() -> bool:
        try:
            return (await platform.http.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    await eventually(caught_up)
    if has_api:
        await eventually(answers)


async def register(platform: Platform, *devices: NewDevice, register_unknown: bool = False) -> None:
    """Register Tripoli and devices there."""
    kinds = declared.load(platform.settings.kinds_dir)
    tripoli = NewMunicipality(
        name="tripoli",
        title={"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"},
        time_zone="Asia/Beirut",
        locale="ar",
        lat=34.4367,
        lon=35.8497,
        register_unknown=register_unknown,
    )
    await add_municipality(platform.database, tripoli, now, by=PLATFORM)
    await add_devices(platform.database, kinds, devices, now, by=PLATFORM)
