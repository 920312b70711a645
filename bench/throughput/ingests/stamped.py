"""The real ingest, but that it notes when each step of each batch was done. Argument: the file for that."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.throughput.paths.stamps import BatchStamps
from nabd import clock, processes
from nabd.cli.run import load_settings, run_process

if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", buffering=1) as file:
        stamps = BatchStamps(clock.wall, lambda instants: print(*instants, file=file))
        run_process("ingest", processes.ingest(load_settings(), step=stamps))
