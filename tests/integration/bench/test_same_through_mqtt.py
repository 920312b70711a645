"""One day of a small town through broker, ingest and database, and the same day straight to the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import aiomqtt
import asyncpg

from bench.rules.judged import Platform
from bench.rules.life import Carrier, Collected, Message
from bench.rules.town import DAY_US, Numbers, bench_town, first_instant, registry_of
from devices.kinds import load
from firmware_sim.plan import CLOCK_OFF
from firmware_sim.town import Town
from ingest.broker.session import IngestBroker as IngestBroker
from ingest.service import IngestOptions, run
from nabd.demo import simulated
from rules.catalogue import catalogue
from rules.live.consumer import LiveRules
from rules.loading.files import default_packs
from store.pool import connect
from tests.brokers import Broker
from tests.waiting import eventually

KINDS = load()
SEED = 5
AT_ONCE = 10
"""Messages sent before the broker has answered the first of them; it gets them in their order."""
START = first_instant(SEED)
Change = tuple[str, str, str, str, str, int]
"""Rule, device, state before, state after, severity, observed_at."""


def town_of_a_bad_day() -> Town:
    """Return a town in which much breaks, but no clock: what that does depends on the moment of receipt."""
    town = bench_town(SEED, KINDS, Numbers(days=1, bins=8, lights=6, drones=1))
    devices = [
        replace(device, causes=tuple(cause for cause in device.causes if cause.name != CLOCK_OFF))
        for device in town.devices
    ]
    return replace(town, devices=tuple(devices), fault_mean_days=0.05)


def day_of(town: Town) -> list[Message]:
    faults = Collected()
    carriers = [Carrier(device, town, START, faults) for device in town.sensing]
    messages = [message for carrier in carriers for message in carrier.until(START + DAY_US)]
    return sorted(messages, key=lambda message: message.received_at)


def straight(town: Town, messages: Sequence[Message]) -> tuple[set[Change], int]:
    """Return the transitions and the number of readings that the benchmark's way finds."""
    platform = Platform(town.kinds, registry_of(town), default_packs(town.kinds))
    names = {number: device.name for number, device in enumerate(town.devices, 1)}
    found: set[Change] = set()
    for at in range(0, len(messages), 500):
        for kind, columns in platform.accept(messages[at : at + 500]):
            for t in platform.judge(kind, columns):
                device = names[t.device_id]
                found.add((t.rule, device, t.from_state, t.to_state, t.severity, t.observed_at))
    return found, platform.readings


_TRANSITIONS = """
SELECT alert.rule, device.name, transition.from_state, transition.to_state, transition.severity,
    (extract(epoch FROM transition.observed_at) * 1000000)::bigint AS observed_at
FROM transition
INNER JOIN alert ON transition.alert_id = alert.id
INNER JOIN device ON alert.device_id = device.id
"""

_READINGS = "SELECT (SELECT count(*) FROM bin_reading) + (SELECT count(*) FROM light_reading)"
_FLIGHTS = "SELECT count(*) FROM drone_reading"


async def through_mqtt(
    dsn: str,
    broker: Broker,
    connection: asyncpg.Connection,
    town: Town,
    messages: Sequence[Message],
    rows: int,
) -> set[Change]:
    """Return the transitions that the running ingest stores."""

    def now() -> int:
        return START + DAY_US

    await simulated.register(connection, KINDS, town, now)
    await catalogue.apply(connection, default_packs(KINDS), now())
    options = IngestOptions(
        broker=IngestBroker(
            host=broker.host, port=broker.port, client_id="ingest-main", keep_alive_s=30, receive_maximum=1000
        ),
        open_database=lambda: connect(dsn),
        kinds=KINDS,
        now=now,
        owner=uuid4(),
        consumers=[LiveRules(KINDS)],
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run(options, stop))

    async def caught_up() -> object:
        return task.done() or await connection.fetchval("SELECT caught_up_at FROM shard")

    async def stored() -> bool:
        return bool(await connection.fetchval(_READINGS) + await connection.fetchval(_FLIGHTS) >= rows)

    await eventually(caught_up)
    async with aiomqtt.Client(
        broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5, identifier="town"
    ) as client:
        for at in range(0, len(messages), AT_ONCE):
            some = messages[at : at + AT_ONCE]
            await asyncio.gather(*(client.publish(m.topic, m.payload, qos=1) for m in some))
    await eventually(stored)
    stop.set()
    await asyncio.wait_for(task, 20)
    return {tuple(row.values()) for row in await connection.fetch(_TRANSITIONS)}


async def test_a_day_makes_the_same_transitions_through_mqtt_and_straight_to_the_rules(
    dsn: str, broker: Broker, connection: asyncpg.Connection
) -> None:
    town = town_of_a_bad_day()
    messages = day_of(town)
    expected, rows = straight(town, messages)

    found = await through_mqtt(dsn, broker, connection, town, messages, rows)

    assert len({change[0] for change in expected}) >= 5
    assert found == expected
