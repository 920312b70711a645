"""What `nabd bench ingest --json` says of several runs together."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from bench.results.summary import summary
from bench.throughput import ladder
from bench.throughput.ladder import BenchPlan, IngestBenchResult
from bench.throughput.raw_copy import RawCopy
from nabd.cli import app
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


@pytest.mark.parametrize("which", ["of a thousand devices", "without rules", "drain"])
def test_measuring_fails_where_readings_were_lost(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    result = IngestBenchResult(plan=BenchPlan(), machine={}, commit="abc1234", measured_at=0)
    result.drains = drains(90)

    async def measured(*_: object) -> IngestBenchResult:
        return result

    monkeypatch.setattr(ladder, "run", measured)
    assert CliRunner().invoke(app, ["bench", "ingest", "--json"]).exit_code == 0
    found = [replace(one, lost=3) for one in drains(100)]
    match which:
        case "drain":
            result.drains = found
        case "without rules":
            result.rules = {"off": found}
        case _:
            result.drains = found
            result.fleets = {5_000: found, 1_000: drains(80)}

    failed = CliRunner().invoke(app, ["bench", "ingest", "--json"])

    assert failed.exit_code == 1
    assert "3 readings were lost" in failed.stderr
    assert json.loads(failed.stdout)["commit"] == "abc1234"
