"""Watches who is refused at the broker, through its log under $SYS; runs within `nabd sweep`.

What is counted goes into the database, for metrics, doctor and alerts; many within minutes are one line here.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiomqtt
import asyncpg
import structlog

from devices.credentials import refusals
from devices.instants import Now, to_datetime
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from nabd.identity.broker_log import RefusalCount
from store.failures import is_outage

log = structlog.get_logger(__name__)

TOPIC = "$SYS/broker/log/#"
KEEP_EVERY_S = 5.0
RETRY_S = 5.0


async def watch(pool: asyncpg.Pool, broker: BrokerAddress, now: Now) -> None:
    """Run until cancelled; an outage of broker or database is told elsewhere."""
    counted = RefusalCount()
    async with asyncio.TaskGroup() as both:  # neither goes on without the other
        both.create_task(_read(broker, counted))
        both.create_task(_keep(pool, counted, now))


async def _read(broker: BrokerAddress, counted: RefusalCount) -> None:
    while True:
        with suppress(OSError, aiomqtt.MqttError):
            async with client(broker) as connection:
                await connection.subscribe(TOPIC)
                async for message in connection.messages:
                    if isinstance(message.payload, bytes):
                        counted.read(message.payload.decode("utf-8", "replace"))
        await asyncio.sleep(RETRY_S)


async def _keep(pool: asyncpg.Pool, counted: RefusalCount, now: Now) -> None:
    told = False
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        counts = counted.taken()
        try:
            async with pool.acquire() as connection:
                if counts:
                    await refusals.add(connection, counts, to_datetime(now()))
                found = await refusals.recent(connection, to_datetime(now())) if counts or told else None
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            counted.put_back(counts)
            continue
        many = found is not None and found.count >= refusals.MANY
        if found is not None and many and not told:
            where = list(found.addresses)
            log.warning(
                "sign-ins are refused at the broker", within_minutes=10, count=found.count, addresses=where
            )
        told = many
