"""The platform's processes, each as its unit says: its account, its door, its secrets, its settings."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from bench.production.layout import ProductionLayout
from bench.throughput.children import ChildFailed, child, last_words
from nabd.supervisor import MODULE
from nabd.systemd.units import PROGRAM, UNITS, Unit

COMMAND = (sys.executable, *MODULE, "nabd")
LASTING = ("nabd-ingest", "nabd-sweep", "nabd-notify", "nabd-api")
RESTART_S = 2.0
"""After so long systemd starts a unit again that has ended."""


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


@dataclass(slots=True)
class LastingProcess:
    """A process that is started again whenever it has ended; how often it was started, and killed by us."""

    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    kills: int = 0

    @property
    def ends(self) -> int:
        """How often it has ended, whoever ended it."""
        lives = self.process is not None and self.process.returncode is None
        return self.starts - lives

    def kill(self) -> None:
        """End it without a chance to finish anything."""
        assert self.process is not None
        self.process.kill()
        self.kills += 1


@asynccontextmanager
async def restarting(layout: ProductionLayout, name: str) -> AsyncIterator[LastingProcess]:
    """Run a process as its unit until the context ends, again and again.

    Raises:
        ChildFailed: it ended although nobody had killed it.
    """
    unit = unit_named(name)
    log = layout.logs / f"{name}.log"
    found = LastingProcess()

    async def run() -> None:
        arguments = unit.run.removeprefix(PROGRAM).split()
        while True:
            async with child([*COMMAND, *arguments], log, layout.environment(unit)) as process:
                found.process, found.starts = process, found.starts + 1
                await process.wait()
            await asyncio.sleep(RESTART_S)

    task = asyncio.create_task(run())
    try:
        yield found
        ends = found.ends
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if ends > found.kills:
        raise ChildFailed(f"{name} has ended by itself:\n{last_words(log)}")
