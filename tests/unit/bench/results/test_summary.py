"""What `nabd bench ingest --json` says of several runs together."""

from __future__ import annotations

from bench.results.summary import summary
from bench.throughput.ladder import BenchPlan, IngestBenchResult
from bench.throughput.raw_copy import RawCopy
from tests.unit.bench.results.builders import drains


def copies(batch_messages: int, *rates: float) -> list[RawCopy]:
    return [
        RawCopy(batch_messages=batch_messages, messages_per_s=r, readings_per_s=r, database_cpu_us=2.0)
        for r in rates
    ]


def test_drain_is_measured_against_the_size_at_which_raw_copy_is_usually_fastest() -> None:
    result = IngestBenchResult(plan=BenchPlan(), machine={}, commit="abc1234", measured_at=0)
    result.copies = [*copies(5_000, 100, 900, 200), *copies(20_000, 390, 400, 410), *copies(50_000, 300)]
    result.drains = drains(90, 100, 500)

    found = summary(result)

    assert (found["drain_per_s"], found["raw_copy_per_s"], found["ratio"]) == (100, 400, 0.25)
