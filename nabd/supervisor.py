"""Child processes that run together: started, watched, started again when they fail, stopped together."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import structlog

from nabd.starting import SUPERVISED

log = structlog.get_logger(__name__)

MODULE = ("-P", "-m")
"""Runs a module, never one of that name in the directory where we happen to be."""
STOP_S = 15.0
"""Seconds a child may take to stop; ingest drains within ten."""
SETTLED_S = 30.0
"""Seconds after which a child counts as started."""
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True, kw_only=True)
class Child:
    """One `nabd` process; its output goes to a file. `environment`: variables that only it has."""

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    restarts: int = 0


@dataclass(slots=True)
class Supervisor:
    """Runs children with the given settings; use `async with`."""

    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    _watches: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, child: Child) -> None:
        """Start a child and keep it running."""
        self.children.append(child)
        await self._spawn(child)
        self._watches.append(asyncio.create_task(self._watch(child)))

    async def _spawn(self, child: Child) -> None:
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as output:
            child.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *MODULE,
                "nabd",
                *child.arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, **self.environment, **child.environment, SUPERVISED: "1"},
                # Ctrl-C in the terminal must reach only us, who stop the children in order.
                start_new_session=True,
            )

    async def _watch(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.5
        while True:
            started = loop.time()
            assert child.process is not None
            code = await child.process.wait()
            if loop.time() - started > SETTLED_S:
                pause = 0.5
            log.warning("process ended, starting it again", name=child.name, code=code, log=str(child.log))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            child.restarts += 1
            await self._spawn(child)

    async def stop(self, names: Sequence[str] | None = None) -> None:
        """Stop all children, or those named, and wait until they are gone."""
        for child, watch in zip(self.children, self._watches, strict=True):
            if names is None or child.name in names:
                watch.cancel()
        chosen = [c for c in self.children if names is None or c.name in names]
        await asyncio.gather(*(_stop(child) for child in chosen))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def _stop(child: Child) -> None:
    process = child.process
    if process is None or process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        log.warning("process does not stop, killing it", name=child.name)
        process.kill()
        await process.wait()


def last_lines(path: Path, lines: int = 15) -> str:
    """Return the last lines of a child's log, for error messages."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
