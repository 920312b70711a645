"""Connections that do not behave as HTTP clients do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def opened(url: str, number: int, sends: bytes = b"") -> AsyncIterator[list[Connection]]:
    """Hold `number` connections open, each having sent the same bytes."""
    parts = urlsplit(url)
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(number)]
    try:
        for _, writer in connections:
            writer.write(sends)
        yield connections
    finally:
        for _, writer in connections:
            writer.close()


async def closed(connection: Connection, within_s: float) -> bytes:
    """Return what a connection still says until the server ends it.

    Raises:
        TimeoutError: it stays open.
    """
    try:
        return await asyncio.wait_for(connection[0].read(), within_s)
    except ConnectionError:
        return b""
