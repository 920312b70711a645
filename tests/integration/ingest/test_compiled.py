"""Compiled code is put in and taken out while ingest works: nothing is lost, nothing is another value."""

from __future__ import annotations

import asyncio
import json
from functools import partial

from devices.wire import Kernel
from tests.compiled import compiled
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

DEVICES, EACH, PIECES = ("b1", "b2", "b3"), 200, 10


async def test_compiled_code_is_put_in_while_messages_come(town: Town) -> None:
    assert await town.connection.fetchval("SELECT compiled FROM shard") is None
    kernel, ready, since = Kernel(few=0), compiled().scan, now() // 1000 - 1_000_000
    await town.start(kernel=kernel, batch_messages=20)

    async def speak(device: str) -> None:
        async with town.client(device) as client:
            for n in range(EACH):
                reading = {"ts": since + n, "fill_pct": n % 100, "note": f"{device} é {n}"}
                message = json.dumps([reading] if n % 7 == 0 else reading, ensure_ascii=n % 5 == 0)
                await client.publish(f"nabd/v1/tripoli/bin/{device}/telemetry", message, qos=1)

    async def stored(readings: int) -> bool:
        return bool(await town.connection.fetchval("SELECT count(*) >= $1 FROM bin_reading", readings))

    speaking = asyncio.gather(*(speak(device) for device in DEVICES))
    total = EACH * len(DEVICES)
    for piece in range(PIECES):
        await eventually(partial(stored, total * piece // PIECES))
        kernel.scan = ready if piece % 2 == 0 else None
    await speaking
    kernel.scan = ready

    async def said() -> bool:
        return bool(await town.connection.fetchval("SELECT compiled FROM shard"))

    await eventually(said)
    sums = await town.received(total)
    assert (sums["stored"], sums["rejected"]) == (total, 0)
    for row in await town.readings():
        n = round(row["observed_at"].timestamp() * 1000) - since
        assert row["fill_pct"] == n % 100
        assert row["extra"] == {"note": f"{row['name']} é {n}"}
