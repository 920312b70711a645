"""The small form of `nabd bench queries`, on a server of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from nabd.cli import app
from tests import parts

ROOT = Path(__file__).resolve().parents[3]


def test_questions_are_asked_of_a_past_that_is_made_once(tmp_path: Path) -> None:
    command = ["bench", "queries", "--devices", "4", "--days", "2", "--cache", str(tmp_path), "--json"]
    command += ["--messages", "0"]  # drains are those of `nabd bench ingest --stage rollups`, see test_ingest

    done = CliRunner().invoke(app, command)

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout.splitlines()[-1])
    assert {(one["span"], one["rows"] > 0) for one in found["queries"]} == {
        ("24h", True),
        ("1y", True),
        ("now", True),
    }
    assert all(0 < one["p50_ms"] <= one["p95_ms"] for one in found["queries"])
    assert found["readings"] > 500
    assert found["compression_ratio"] is None
    assert found["drain_with_rollups_ratio"] is None
    assert len(list(tmp_path.glob("*.npz"))) == 4


def test_a_past_that_stays_is_only_asked_the_next_time(tmp_path: Path) -> None:
    command = [
        "bench",
        "queries",
        "--days",
        "2",
        "--cache",
        str(tmp_path / "cache"),
        "--messages",
        "0",
        "--json",
    ]
    keep = ["--keep", str(tmp_path / "kept")]

    first, again, other = (
        CliRunner().invoke(app, [*command, *keep, "--devices", devices]) for devices in ("4", "4", "6")
    )

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    made, asked = (json.loads(one.stdout.splitlines()[-1]) for one in (first, again))
    assert made["made_s"] == asked["made_s"]
    assert [one["rows"] for one in made["queries"]] == [one["rows"] for one in asked["queries"]]
    assert other.exit_code == 2

    (tmp_path / "kept/past.json").unlink()  # as of a making that was cut
    continued = CliRunner().invoke(app, [*command, *keep, "--devices", "4"])
    assert continued.exit_code == 0, continued.output
    assert json.loads(continued.stdout.splitlines()[-1])["readings"] == made["readings"]
    assert "holds 4 devices and 2 days" in " ".join(other.output.replace("│", " ").split())


def test_the_ratio_of_a_columnstore_says_of_what_it_is(tmp_path: Path) -> None:
    told = {
        "timescaledb": "2.30",
        "devices": 20,
        "days": 30,
        "queries": [],
        "readings": 129_600,
        "bytes_per_row": 150.0,
        "rollup_bytes_per_reading": 9.0,
        "rollup_lag_s": 5.0,
        "made_s": 1.0,
        "rolled_s": 1.0,
        "compression_ratio": 12.5,
        "column_bytes": {"light.voltage_v": 1.5},
    }
    file = tmp_path / "timescale.json"
    file.write_text(json.dumps(told))
    size = ["--devices", "4", "--days", "2", "--cache", str(tmp_path), "--messages", "0"]

    both = CliRunner().invoke(app, ["bench", "queries", *size, "--beside", str(file)])
    file.write_text(json.dumps({"compression_ratio": 12.5}))
    refused = CliRunner().invoke(app, ["bench", "queries", *size, "--beside", str(file)])

    assert both.exit_code == 0, both.output
    found = json.loads(both.stdout.splitlines()[-1])
    assert found["compression_ratio"] == found["timescale"]["compression_ratio"] == 12.5
    assert (found["devices"], found["days"]) == (4, 2)
    assert (found["timescale"]["devices"], found["timescale"]["days"]) == (20, 30)
    assert "4 devices, 2 days: " in both.stdout
    assert "columnstore of 20 devices, 30 days: 1/12.5" in both.stdout
    assert refused.exit_code == 2


def test_the_columnstore_is_measured_beside(tmp_path: Path) -> None:
    parts.need_node()
    size = ["--devices", "2", "--days", "3", "--cache", str(tmp_path / "cache")]
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/bench-timescale", *size], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    timescale = json.loads(done.stdout)
    assert (timescale["devices"], timescale["days"]) == (2, 3)
    assert timescale["column_bytes"]["light.voltage_v"] > timescale["column_bytes"]["light.boot"]
    (tmp_path / "timescale.json").write_text(done.stdout)

    beside = ["--beside", str(tmp_path / "timescale.json"), "--messages", "0"]
    both = CliRunner().invoke(app, ["bench", "queries", *size, *beside])

    assert both.exit_code == 0, both.output
    found = json.loads(both.stdout.splitlines()[-1])
    assert found["compression_ratio"] == timescale["compression_ratio"]
    assert found["timescale"] == timescale
    assert [one["rows"] for one in found["queries"]] == [one["rows"] for one in timescale["queries"]]
