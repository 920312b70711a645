"""One process for the codecs of a file, so that it starts once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from devices.codecs.pool import Codecs


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def codecs() -> AsyncIterator[Codecs]:
    """One process, started when it is needed."""
    async with Codecs(processes=1) as opened:
        yield opened
