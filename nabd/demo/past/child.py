"""The process that makes the past, seen from the demo: started, listened to, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nabd.starting import SUPERVISED
from nabd.supervisor import MODULE

STOP_S = 10.0


class PastProgress(msgspec.Struct):
    """How far the past is; see writing.PastCounts."""

    hours: int = 0
    of_hours: int = 0
    readings: int = 0
    alerts: int = 0
    orders: int = 0

    def said(self) -> str:
        """Return it in words."""
        if not self.of_hours:
            return "past begins"
        if self.hours == self.of_hours:
            return f"past of {self.of_hours // 24} days stored"
        return f"past: day {self.hours // 24} of {self.of_hours // 24}"


class PastRun:
    """Makes the days before `end` in a process of its own. end: microseconds since 1970-01-01Z."""

    def __init__(
        self,
        *,
        seed: int,
        municipality: str,
        end: int,
        days: float,
        environment: Mapping[str, str],
        log: Path,
    ) -> None:
        self._arguments = [
            "--seed", str(seed), "--end", str(end), "--days", str(days), "--municipality", municipality,
        ]  # fmt: skip
        self._environment = environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.progress = PastProgress()

    async def start(self) -> None:
        """Start the process."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *MODULE,
                "nabd.demo.past",
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                env={**os.environ, **self._environment, SUPERVISED: "1"},
                start_new_session=True,
            )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            with contextlib.suppress(msgspec.DecodeError):
                self.progress = msgspec.json.decode(line, type=PastProgress)

    async def stop(self) -> None:
        """Stop the process; what it has stored stays."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._reading is not None:
            await self._reading
        self._process = None
