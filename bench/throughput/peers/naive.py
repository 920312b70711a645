"""A peer: aiomqtt and asyncpg, one INSERT a message. Arguments: HOST PORT DSN N."""

from __future__ import annotations

import asyncio
import json
import sys

import asyncpg

from bench.throughput.peers.subscriber import PeerTiming, rows, subscribed

INSERT = """
INSERT INTO peer_reading (topic, observed_at, payload)
VALUES ($1, 'epoch'::timestamptz + $2 * '1 microsecond'::interval, $3)
"""


async def run(host: str, port: int, dsn: str, messages: int) -> PeerTiming:
    """Store messages until there have been so many, or none comes any more."""
    database = await asyncpg.connect(dsn)
    outcome = PeerTiming()
    async for message in subscribed(host, port, "peer-naive", messages, outcome):
        for topic, observed_at, reading in rows(message):
            await database.execute(INSERT, topic, observed_at, reading)
        outcome.committed()
    await database.close()
    return outcome


if __name__ == "__main__":
    host, port, dsn, messages = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(run(host, int(port), dsn, int(messages))).as_json()) + "\n")
