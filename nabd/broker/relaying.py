"""Where the API's process brings what is posted to it: a relay for each gateway, and what webhooks need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from devices.codecs.pool import Codecs
from devices.instants import Now
from devices.kinds import Kinds
from devices.profiles.files import ProfileFiles
from devices.relay import Outcome, Relay, RelayState
from devices.sources.webhooks import WebhookIntake
from devices.wire.topics import Topic
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client

TIMEOUT_S = 10.0


class Relays:
    """Relays, each begun when something is first posted through its gateway, while `run` runs."""

    def __init__(self, broker: BrokerAddress, now: Now) -> None:
        """Make it; broker: ours, with an account that may publish as any gateway."""
        self._broker = broker
        self._now = now
        self._relays: dict[str, Relay] = {}
        self._begun: asyncio.Queue[Relay] = asyncio.Queue()

    async def run(self) -> None:
        """Keep the connections until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task((await self._begun.get()).run())

    async def send(self, gateway: Topic, elements: Sequence[Mapping[str, object]]) -> list[Outcome]:
        """Publish elements as a gateway; return what became of each once it is committed.

        Waits for as long as that takes; see Relay.send.
        """
        return await self._relay(gateway).send(elements)

    def state(self, gateway: Topic) -> RelayState:
        """Tell whether what is posted through a gateway gets through."""
        return self._relay(gateway).state

    def _relay(self, gateway: Topic) -> Relay:
        name = str(gateway)
        if name not in self._relays:
            self._relays[name] = Relay(gateway, lambda: client(self._broker, timeout_s=TIMEOUT_S), self._now)
            self._begun.put_nowait(self._relays[name])
        return self._relays[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedIntake:
    """What takes readings by HTTP, while `run` runs."""

    relays: Relays
    deliveries: WebhookIntake
    codecs: Codecs

    async def run(self) -> None:
        """Relay until cancelled."""
        async with self.codecs, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.relays.run())
            tasks.create_task(self.deliveries.run())


def ways_in(
    broker: BrokerAddress,
    pool: asyncpg.Pool[asyncpg.Record],
    declared: Kinds,
    now: Now,
    profiles_dir: Path | None = None,
) -> PostedIntake:
    """Return what a process needs that takes readings by HTTP; broker: see Relays."""
    relays, codecs = Relays(broker, now), Codecs()
    profiles = ProfileFiles(declared, profiles_dir)
    deliveries = WebhookIntake(pool, codecs, profiles.current, relays.send, now)
    return PostedIntake(relays=relays, codecs=codecs, deliveries=deliveries)
