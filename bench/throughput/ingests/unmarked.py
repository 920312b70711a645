"""The real ingest, but that nothing notes which hours to roll up: what rollups cost is the difference."""

from __future__ import annotations

from nabd import processes
from nabd.cli.run import load_settings, run_process
from readings.rollups.marks import RollupMarks

if __name__ == "__main__":
    run_process(
        "ingest",
        processes.ingest(
            load_settings(),
            lambda *given: [
                one for one in processes.consumers_of(*given) if not isinstance(one, RollupMarks)
            ],
        ),
    )
