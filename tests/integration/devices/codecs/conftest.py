"""One process for all codecs that behave, so that it starts once for a file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from devices.codecs.pool import Codecs


@pytest.fixture
async def codecs() -> AsyncIterator[Codecs]:
    """One process, started when it is needed."""
    async with Codecs(processes=1) as opened:
        yield opened
