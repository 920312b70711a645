"""A small town through the whole benchmark."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from bench.rules import bench, table
from bench.rules.matching import fault_of
from bench.rules.town import DAY_US, Numbers, bench_town, first_instant, registry_of
from firmware_sim.faults import expectation
from nabd.cli import app
from tests.unit.firmware_sim.build import KINDS

SMALL = Numbers(days=3, bins=5, lights=3, drones=0)
SEED = 11


@pytest.fixture(scope="module")
def result() -> bench.RuleBenchResult:
    return bench.run(SEED, SMALL, processes=1)


def test_run_sees_faults_of_a_small_town(result: bench.RuleBenchResult) -> None:
    assert result.device_days == 24.0
    assert result.readings > 5 * 3 * 130
    assert result.overall.faults >= 3
    assert result.overall.detected >= 2


def test_same_seed_gives_the_same_table(result: bench.RuleBenchResult) -> None:
    again = bench.run(SEED, SMALL, processes=1)

    assert table.rows(again.scores) == table.rows(result.scores)
    assert again.found == result.found
    assert table.markdown([again]) == table.markdown([result])


def test_another_seed_gives_another_town(result: bench.RuleBenchResult) -> None:
    assert bench.run(SEED + 1, SMALL, processes=1).found != result.found


def test_device_does_the_same_in_whatever_group_it_is() -> None:
    alone = bench.live(bench.DeviceGroup(seed=SEED, numbers=SMALL, kind="bin", first=1, last=2))
    among = bench.live(bench.DeviceGroup(seed=SEED, numbers=SMALL, kind="bin", first=0, last=5))

    (name,) = {line.device for line in alone.faults}
    assert [line for line in among.faults if line.device == name] == alone.faults
    assert [alert for alert in among.alerts if alert.device == name] == alone.alerts


def test_labels_come_from_what_was_broken_not_from_rules() -> None:
    group = bench.DeviceGroup(seed=SEED, numbers=SMALL, kind="bin", first=0, last=5)

    judged, unjudged = bench.live(group), bench.live(group, rules=())

    assert unjudged.alerts == []
    assert unjudged.faults == judged.faults
    end = first_instant(SEED) + 3 * DAY_US
    for line in judged.faults:
        fault = fault_of(line, end)
        assert fault.earliest <= fault.start <= fault.end
        held_s = (fault.end - fault.start) / 1e6
        needed_s = expectation(line.expect).lasts_s
        assert held_s >= needed_s or not fault.detectable


def test_town_is_registered_as_it_is_simulated() -> None:
    town = bench_town(SEED, KINDS, SMALL)
    registry = registry_of(town)

    assert {d.name for d in town.devices} == set(registry.by_name)
    lamp = next(d for d in registry.devices.values() if d.kind == "light")
    assert lamp.parent_id is not None
    assert registry.devices[lamp.parent_id].kind == "circuit"


def test_command_prints_a_table_and_one_object_and_fails_for_want_of_faults() -> None:
    asked = ["bench", "rules", "--seed", "3", "--days", "0.2", "--bins", "2", "--lights", "1"]

    said = CliRunner().invoke(app, [*asked, "--drones", "0", "--processes", "1"])

    assert said.exit_code == 1
    assert "insufficient" in said.stdout
    found = json.loads(said.stdout.splitlines()[-1])
    assert list(found) == ["seed", "device_days", "rules", "by_class", "by_interval"]
    assert list(found["by_interval"]) == ["10s", "10m", "1h", "8h", "24h", "irregular"]
    assert {tuple(worth) for worth in found["by_interval"].values()} == {("precision", "recall")}
    assert found["seed"] == 3
    assert found["device_days"] == pytest.approx(0.6)
    assert {tuple(sorted(rule)) for rule in found["rules"]} == {
        (
            "delay_allowed_s",
            "delay_median_s",
            "delay_p95_s",
            "false_per_1000_device_days",
            "faults",
            "in_time",
            "precision",
            "recall",
            "rule",
            "unobservable",
        )
    }
