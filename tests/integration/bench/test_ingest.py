"""`nabd bench ingest` in small: nothing is timed here, only that it runs, balances and says what it must."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.charts.pictures import pictures
from bench.results.compare import compare
from bench.results.files import read
from bench.throughput.ladder import BenchPlan, Stage, steps
from bench.throughput.named_server import named
from bench.throughput.paths.slowest import PARTS
from bench.throughput.rig import TRACKED
from nabd.cli import app
from nabd.embedded.postgres import EmbeddedPostgres
from tests.parts import need_mosquitto

PROMISED = {
    "drain_per_s",
    "raw_copy_per_s",
    "ratio",
    "sent",
    "stored",
    "lost",
    "cpu_us_per_message",
    "bytes_per_reading",
    "peers",
}

pytestmark = pytest.mark.timeout(300)
"""Whichever comes first waits for one run of every stage."""

SEED = "14"
"""Two fires among the first 300 messages: even a slow machine sends as many in the second that it gets."""


def bench(*arguments: str) -> dict[str, Any]:
    """Run the command and return its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "nabd", "bench", "ingest", "--runs", "1", "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={k: v for k, v in os.environ.items() if not k.startswith("NABD_")},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What one run of every stage says: starting a database, a broker and ingest again costs most."""
    need_mosquitto()
    small = ["--messages", "2000", "--devices", "100", "--large-fleet", "200", "--seed", SEED]
    stages = [argument for stage in Stage for argument in ("--stage", stage)]
    return bench(*small, *stages, "--open-seconds", "1", "--open-percent", "80", "--long-seconds", "3")


def test_bench_prints_one_object_with_every_promised_figure(found: dict[str, Any]) -> None:
    assert found.keys() >= PROMISED
    assert found["compiled"] is True
    assert found["sent"] == found["stored"] + found["duplicates"] + found["rejected"]
    assert found["duplicates"] > 0
    assert found["lost"] == 0
    assert set(found["recorded_cpu_us"]) == {"parse", "decide", "encode", "count", "evaluate", "sum"}
    assert set(found["rule_readings_per_s"]) == {"bin", "light", "drone"}
    # The log of a row is the row, its entry in the index, and what is kept beside readings.
    sizes = found["bytes_per_reading"]
    assert 60 < sizes["tables"] < 400
    assert 24 < sizes["indexes"] < 400
    assert sizes["WAL"] > sizes["tables"]
    assert set(found["cpu_us_per_message"]) == {"ingest", "broker", "database", "generator"}
    assert {peer["name"] for peer in found["peers"]} == {"naive", "careful", "pipe", "telegraf"}
    assert all(peer["absent"] or peer["stored"] for peer in found["peers"])


def test_bench_prints_what_comparing_reads_with_every_run_of_every_stage(
    found: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    file.write_text(json.dumps(found))

    (one,) = read(file)
    compared = compare([one], [one])

    assert one.runs.drain[0].stored == found["stored"]
    assert {figure.ratio for figure in compared.figures} == {1}
    names = " ".join(figure.figure for figure in compared.figures)
    assert all(name in names for name in ("raw COPY", "recorded", "devices", "rules 100", "rollups", "naive"))
    assert "open loop at 80 % of drain, to commit: p99" in names
    assert "200 devices: start again" in names
    assert "long run of 3 s at 70 % of drain, last minutes: p99" in names
    drawn = ("cost", "rates", "latency", "slowest", "devices")
    assert set(pictures([one])) == {f"{picture}-mixed.svg" for picture in drawn}


def test_bench_finds_latencies_of_commits_and_alerts_when_sending_at_intended_instants(
    found: dict[str, Any],
) -> None:
    (run,) = found["open_loop"]

    assert run["percent_of_drain"] == 80
    assert run["lost"] == 0
    assert run["sent"] == run["stored"] + run["duplicates"]
    assert run["commit_ms"]["p50"] > 0
    assert run["commit_ms"]["p99"] in run["commit_p99_spread"]
    assert run["cores_needed"] > 0
    assert run["alerts"] > 0
    assert set(run["path_ms"]) == set(run["slowest_path_ms"]) == set(PARTS)
    slowest = sum(ms for part, ms in run["slowest_path_ms"].items() if part != "receipts")
    assert slowest >= run["commit_ms"]["p99"] - 5  # ingest hears of a commit after the database has timed it


def test_bench_tells_how_memory_and_latency_were_at_the_end_of_a_long_run(found: dict[str, Any]) -> None:
    (run,) = found["long"]

    assert run["lost"] == 0
    assert run["sent"] == run["stored"] + run["merged"] + run["duplicates"] + run["rejected"]
    assert run["first_ms"]["p99"] > 0
    assert run["last_ms"]["p99"] > 0
    assert run["memory_mb"] > 0
    assert run["growth_95"] > 0


def test_bench_compares_fleets_and_rule_sets_when_asked_to(found: dict[str, Any]) -> None:
    assert set(found["fleets"]) == {"100", "200"}
    assert set(found["rules_cost"]) == {"off", "default", "100"}
    assert all(d["lost"] == 0 for d in (*found["fleets"].values(), *found["rules_cost"].values()))
    (large,) = found["large_fleet"]
    assert large["devices"] == 200
    assert large["drain"]["start_s"] > 0
    assert 0 < large["restart_mb"] <= large["peak_mb"]
    assert large["checkpoints"] > 0
    assert large["checkpoint_ms"] > 0
    shared = [found["fleets"]["100"], found["rules_cost"]["default"]]
    assert all(d["spread"] == found["drain_spread"] for d in shared)  # measured once


def test_bench_drains_with_rollups_and_without_in_turns(found: dict[str, Any]) -> None:
    rollups = found["rollups"]

    assert rollups["lost"] == 0
    assert rollups["stored"] > 0
    assert len(rollups["with_per_s"]) == len(rollups["without_per_s"]) == 1
    assert rollups["ratio"] > 0


def test_bench_on_a_server_of_others_measures_there_or_says_what_it_needs(
    postgres_server: EmbeddedPostgres,
) -> None:
    need_mosquitto()
    small = ["--messages", "500", "--devices", "20", "--stage", "drain"]

    with (
        tempfile.TemporaryDirectory(prefix="nabd-test-") as directory,
        EmbeddedPostgres(Path(directory) / "postgres", settings=TRACKED) as other,
    ):
        found = bench(*small, "--dsn", other.dsn())
        assert asyncio.run(named(other.dsn())).pid == other.pid  # whose CPU is counted
    refused = CliRunner().invoke(app, ["bench", "ingest", *small, "--dsn", postgres_server.dsn()])

    assert (found["lost"], found["sent"]) == (0, found["stored"] + found["duplicates"] + found["rejected"])
    assert refused.exit_code == 1
    assert "track_commit_timestamp = on" in refused.output


def test_bench_sends_at_three_rates_unless_told_otherwise() -> None:
    assert BenchPlan().open_percents == (25, 50, 80)
    assert steps(BenchPlan(stages=frozenset({Stage.OPEN}), runs=2)) == 2 * (1 + 3)


def test_bench_at_rates_that_are_given_drains_nothing_before() -> None:
    assert steps(BenchPlan(stages=frozenset({Stage.OPEN}), runs=2, open_rates=(100.0, 200.0))) == 2 * 2


def test_bench_takes_a_rate_or_a_share_of_the_drain_and_not_both() -> None:
    both = ["--open-rate", "100", "--open-percent", "50"]

    refused = CliRunner().invoke(app, ["bench", "ingest", "--stage", "open", *both])

    assert refused.exit_code == 2
    assert "not both" in refused.output
