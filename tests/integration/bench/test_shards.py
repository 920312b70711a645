"""The small form of `nabd bench shards`: real processes, and nothing is lost."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from nabd.cli import app


def test_one_ingest_and_two_drain_the_same_backlog() -> None:
    done = CliRunner().invoke(app, ["bench", "shards", "--messages", "4000", "--devices", "200", "--json"])

    assert done.exit_code == 0, done.output
    one, two = json.loads(done.stdout.splitlines()[-1])["runs"]
    assert (one["shards"], two["shards"]) == (1, 2)
    assert one["stored"] == two["stored"] > 4000
    assert one["lost"] == two["lost"] == 0
    assert set(two["ingest_cpu_us"]) == {"main", "shard-1"}
    assert max(two["ingest_cpu_us"].values()) > 0
    assert one["bytes_per_reading"] > 50
