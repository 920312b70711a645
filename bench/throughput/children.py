"""Programs that a benchmark starts: the generator, the real ingest, and whatever is compared with it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from bench import CHECKOUT
from bench.throughput import publisher
from bench.throughput.publisher import PublishResult
from bench.throughput.traffic import Stream

STOP_S = 15.0


class ChildFailed(Exception):
    """A program ended where it should not have; the text carries what it said last."""


@asynccontextmanager
async def child(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program for as long as the context; SIGTERM ends it, what it says goes to `log`."""
    with log.open("ab") as output:
        started = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            cwd=CHECKOUT,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        if started.returncode is None:
            with suppress(ProcessLookupError):
                started.terminate()
            try:
                await asyncio.wait_for(started.wait(), STOP_S)
            except TimeoutError:
                started.kill()
                await started.wait()


def last_words(log: Path) -> str:
    """Return the end of a log."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-10:])


async def publish(
    directory: Path,
    stream: Stream,
    *,
    host: str,
    port: int,
    open_loop: bool = False,
    laps: int = 1,
    lap_us: int = 0,
) -> PublishResult:
    """Publish a stream from a process of its own, and return once the broker has answered everything.

    Args:
        laps: how often it is sent, each time `lap_us` microseconds later, the times in it too.

    Raises:
        ChildFailed: the generator did not get through.
    """
    await asyncio.to_thread(
        publisher.write_plan,
        directory,
        stream,
        host=host,
        port=port,
        open_loop=open_loop,
        laps=laps,
        lap_us=lap_us,
    )
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.throughput.publisher",
        str(directory),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaints = await started.communicate()
    if started.returncode:
        raise ChildFailed(f"the generator failed: {complaints.decode(errors='replace')[-2000:]}")
    return msgspec.json.decode(said, type=PublishResult)
