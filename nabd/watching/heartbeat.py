"""The heartbeat: a URL is asked for while all is well, so that a service elsewhere notices when it is not.

Whoever watches from outside notices too that the machine is gone, which no alert of ours can say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import asyncpg
import httpx2
import structlog

from devices.instants import Now, to_microseconds
from devices.kinds import Kinds
from nabd import readiness
from nabd.readiness import Check
from nabd.settings import Settings
from rules.catalogue import watched
from store.failures import DATABASE_ERRORS
from store.outage import Outage

log = structlog.get_logger(__name__)

EVERY_S = 60.0
ANSWER_S = 10.0
SWEPT_S = 60.0
"""A sweep is due every two seconds; who has not for so long looks at nothing."""


async def run(url: str, checks: Mapping[str, Check], *, every_s: float = EVERY_S) -> None:
    """Ask for the URL until cancelled, each time that every check finds nothing wrong.

    Neither trouble nor a service that does not answer ends this, or is an alert: the service tells people.
    """
    trouble = Outage(log, "heartbeat withheld: not all is well", "heartbeat again: all is well")
    unheard = Outage(log, "heartbeat not taken: NABD_HEARTBEAT_URL", "heartbeat taken again")
    async with httpx2.AsyncClient(timeout=ANSWER_S, headers={"User-Agent": "Nabd"}) as client:
        while True:
            if wrong := await first_trouble(checks):
                trouble.lasts(wrong)
            else:
                trouble.over()
                try:
                    (await client.get(url)).raise_for_status()
                    unheard.over()
                except httpx2.HTTPStatusError as error:
                    unheard.lasts(f"answered {error.response.status_code}")
                except httpx2.HTTPError as error:
                    unheard.lasts(type(error).__name__)  # its text may repeat the address, which is a secret
            await asyncio.sleep(every_s)


async def first_trouble(checks: Mapping[str, Check]) -> str | None:
    """Return which check finds something wrong, and what; None: all is well."""
    for name, check in checks.items():
        if said := await check():
            return f"{name} {said}"
    return None


def checks(
    settings: Settings, pool: asyncpg.Pool, declared: Kinds, now: Now, speed: float
) -> Mapping[str, Check]:
    """Return what must be well: what /readyz looks at, and the sweep."""
    return {
        **readiness.checks(settings, pool, declared, now, speed, lambda: None),
        "sweep": lambda: _swept(pool, now, speed),
    }


async def _swept(pool: asyncpg.Pool, now: Now, speed: float) -> str | None:
    try:
        async with pool.acquire() as connection:
            swept_at = (await watched.watch(connection)).swept_at
    except DATABASE_ERRORS:
        return "unknown: the database is away"
    if swept_at is None:
        return "has never looked"
    silent_s = (now() - to_microseconds(swept_at)) / 1e6 / speed
    return None if silent_s < SWEPT_S else f"silent for {silent_s:.0f} s"
