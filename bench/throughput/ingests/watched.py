"""The real ingest, which also says how long each checkpoint of rules held its batch up."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

from nabd import processes
from nabd.cli.run import load_settings, run_process
from rules.live import checkpoints

WATCHED = (sys.executable, "-m", "bench.throughput.ingests.watched")
_SAID = re.compile(r"^checkpoint held a batch up for ([0-9.]+) ms, ([0-9.]+) of CPU$", re.MULTILINE)


def checkpoints_ms(log: Path) -> list[tuple[float, float]]:
    """Return how long each checkpoint took that a log tells of, in milliseconds, and those of CPU."""
    return [(float(ms), float(cpu)) for ms, cpu in _SAID.findall(log.read_text(errors="replace"))]


def _watch() -> None:
    save = checkpoints.save

    async def watched(*arguments: Any, **named: Any) -> Any:
        begun, cpu = time.perf_counter(), time.thread_time()
        try:
            return await save(*arguments, **named)
        finally:
            ms, cpu = (time.perf_counter() - begun) * 1000, (time.thread_time() - cpu) * 1000
            sys.stderr.write(f"checkpoint held a batch up for {ms:.1f} ms, {cpu:.1f} of CPU\n")

    checkpoints.save = watched


if __name__ == "__main__":
    _watch()
    run_process("ingest", processes.ingest(load_settings()))
