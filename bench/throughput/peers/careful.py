"""A peer: aiomqtt, batches of 1,000, one COPY each. Arguments: HOST PORT DSN N."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import asyncpg

from bench.throughput.peers.subscriber import PeerTiming, rows, subscribed

BATCH = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def run(host: str, port: int, dsn: str, messages: int) -> PeerTiming:
    """Store messages until there have been so many, or none comes any more."""
    database = await asyncpg.connect(dsn)
    outcome = PeerTiming()
    batch: list[tuple[str, datetime, str]] = []

    async def flush() -> None:
        await database.copy_records_to_table(
            "peer_reading", records=batch, columns=["topic", "observed_at", "payload"]
        )
        outcome.committed()
        batch.clear()

    async for message in subscribed(host, port, "peer-careful", messages, outcome):
        batch.extend(
            (topic, _EPOCH + timedelta(microseconds=observed_at), reading)
            for topic, observed_at, reading in rows(message)
        )
        if len(batch) >= BATCH:
            await flush()
    if batch:
        await flush()
    await database.close()
    return outcome


if __name__ == "__main__":
    host, port, dsn, messages = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(run(host, int(port), dsn, int(messages))).as_json()) + "\n")
