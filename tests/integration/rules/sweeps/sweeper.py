"""A process that sweeps: python -m tests.integration.rules.sweeps.sweeper DSN FILE; FILE is its clock."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from devices.kinds import load
from rules.sweeps.leader import run
from store.pool import open_pool


async def main(dsn: str, clock: Path) -> None:
    """Sweep until killed."""
    pool = await open_pool(dsn, max_size=2)
    print("sweeping", flush=True)
    await run(pool, load(), lambda: int(clock.read_text()), 0.05)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
