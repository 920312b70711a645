"""`nabd bench ingest` in small: nothing is timed here, only that it runs, balances and says what it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.parts import need_mosquitto

PROMISED = {
    "drain_per_s",
    "raw_copy_per_s",
    "ratio",
    "sent",
    "stored",
    "lost",
    "cpu_us_per_message",
    "peers",
}


@pytest.fixture(autouse=True)
def _real_broker() -> None:
    need_mosquitto()


def bench(*arguments: str) -> dict[str, Any]:
    """Run the command and return its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "nabd", "bench", "ingest", "--runs", "1", "--json", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={k: v for k, v in os.environ.items() if not k.startswith("NABD_")},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_bench_prints_one_object_with_every_promised_figure() -> None:
    found = bench("--messages", "2000", "--devices", "100")

    assert found.keys() >= PROMISED
    assert found["sent"] == found["stored"] + found["duplicates"] + found["rejected"]
    assert found["duplicates"] > 0
    assert found["lost"] == 0
    assert set(found["recorded_cpu_us"]) == {"parse", "decide", "encode", "count", "evaluate", "sum"}
    assert set(found["rule_readings_per_s"]) == {"bin", "light", "drone"}
    assert set(found["cpu_us_per_message"]) == {"ingest", "broker", "database", "generator"}
    assert {peer["name"] for peer in found["peers"]} == {"naive", "careful", "pipe", "telegraf"}
    assert all(peer["absent"] or peer["stored"] for peer in found["peers"])


def test_bench_finds_latencies_of_commits_and_alerts_when_sending_at_intended_instants() -> None:
    found = bench(
        "--messages",
        "6000",
        "--devices",
        "50",
        "--traffic",
        "plain",
        "--stage",
        "open",
        "--open-seconds",
        "1",
    )

    assert found["lost"] == 0
    assert [run["percent_of_drain"] for run in found["open_loop"]] == [25, 50, 80]
    for run in found["open_loop"]:
        assert run["sent"] == run["stored"]
        assert run["commit_ms"]["p50"] > 0
        assert run["commit_ms"]["p99"] in run["commit_p99_spread"]
        assert run["cores_needed"] > 0
    assert sum(run["alerts"] for run in found["open_loop"]) > 0


def test_bench_compares_fleets_and_rule_sets_when_asked_to() -> None:
    found = bench(
        "--messages",
        "1000",
        "--devices",
        "40",
        "--stage",
        "fleets",
        "--stage",
        "rules",
        "--large-fleet",
        "80",
    )

    assert set(found["fleets"]) == {"40", "80"}
    assert set(found["rules_cost"]) == {"off", "default", "100"}
    assert all(d["lost"] == 0 for d in (*found["fleets"].values(), *found["rules_cost"].values()))
