"""Carries rollouts out, beside the sweep: the image is offered, devices are heard of, alerts are watched."""

from __future__ import annotations

import asyncio
from functools import partial
from uuid import uuid4

import asyncpg
import structlog

from alerts.since import raised_since
from devices.firmware.advance import advance
from devices.instants import Now
from store.failures import is_outage

log = structlog.get_logger(__name__)

EVERY_S = 2.0
BEHIND = ("firmware-behind",)
"""Rules whose alerts say nothing against an image."""


async def run(pool: asyncpg.Pool, now: Now, base: str) -> None:
    """Run until cancelled; an outage of the database postpones it."""
    alarming = partial(raised_since, but=BEHIND)
    while True:
        try:
            async with pool.acquire() as connection:
                await advance(connection, now, alarming=alarming, new_id=uuid4, base=base)
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            log.warning("rollouts postponed", error=str(error))
        await asyncio.sleep(EVERY_S)
