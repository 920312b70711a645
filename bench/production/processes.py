"""The platform's processes, each as its unit says: its account, its door, its secrets, its settings."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from bench.production.layout import ProductionLayout
from bench.throughput.children import ChildFailed, child, last_words
from nabd.supervisor import MODULE
from nabd.systemd.units import PROGRAM, UNITS, Unit

COMMAND = (sys.executable, *MODULE, "nabd")
LASTING = ("nabd-ingest", "nabd-sweep", "nabd-notify", "nabd-bridge", "nabd-api")


def unit_named(name: str) -> Unit:
    """Return a unit."""
    return next(unit for unit in UNITS if unit.name == name)


async def nabd(layout: ProductionLayout, *arguments: str, unit: str = "nabd-api", **variables: str) -> str:
    """Run a command as who runs a unit would, and return what it printed.

    Raises:
        ChildFailed: it failed; the text is what it complained of.
    """
    return await command(arguments, {**layout.environment(unit_named(unit)), **variables})


async def command(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Run a command with variables beside those of this process, and return what it printed.

    Raises:
        ChildFailed: it failed.
    """
    started = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await started.communicate()
    if started.returncode:
        raise ChildFailed(f"nabd {' '.join(arguments)}: {complaints.decode().strip()}")
    return said.decode()


@asynccontextmanager
async def running(layout: ProductionLayout, names: Sequence[str] = LASTING) -> AsyncIterator[None]:
    """Run processes until the context ends.

    Raises:
        ChildFailed: one ended by itself.
    """
    async with AsyncExitStack() as stack:
        started = {}
        for name in names:
            unit = unit_named(name)
            arguments = unit.run.removeprefix(PROGRAM).split()
            log = layout.logs / f"{name}.log"
            ours = child([*COMMAND, *arguments], log, layout.environment(unit))
            started[name] = await stack.enter_async_context(ours)
        yield
        for name, process in started.items():
            if process.returncode is not None:
                raise ChildFailed(f"{name} has ended:\n{last_words(layout.logs / f'{name}.log')}")
