"""What the fault labels say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec
import yaml

from firmware_sim.faults import EXPECTED, FaultLine, FaultLog, Labels, rfc3339
from firmware_sim.physics.model import SECOND, Truth
from tests.unit.firmware_sim.build import NOON, small_town
from tests.unit.firmware_sim.test_town import lives

FINE, NEAR, BAD = Truth(holds=False), Truth(holds=False, near=True), Truth(holds=True)
RULES = Path(__file__).parents[3] / "rules" / "packs"


def lines(path: Path) -> list[FaultLine]:
    return [msgspec.json.decode(line, type=FaultLine) for line in path.read_bytes().splitlines()]


def label(directory: Path, states: list[Truth], *, every_s: int = 60) -> list[FaultLine]:
    log = FaultLog(directory / "faults.jsonl")
    labels = Labels("B1", log, 3.0)
    for i, state in enumerate(states):
        labels.observe(NOON + i * every_s * SECOND, {"bin-overflow": state}, 60.0)
    labels.close(NOON + len(states) * every_s * SECOND)
    log.close()
    return lines(directory / "faults.jsonl")


def test_label_runs_from_the_first_to_the_last_moment_of_the_fault(tmp_path: Path) -> None:
    (line,) = label(tmp_path, [FINE, BAD, BAD, BAD, FINE, FINE])

    assert line.start == rfc3339(NOON + 60 * SECOND)
    assert line.end == rfc3339(NOON + 240 * SECOND)
    assert line.detectable


def test_label_stays_open_while_the_value_hesitates_at_the_limit(tmp_path: Path) -> None:
    (line,) = label(tmp_path, [NEAR, BAD, NEAR, BAD, FINE])

    assert line.earliest == rfc3339(NOON)
    assert line.start == rfc3339(NOON + 60 * SECOND)


def wavering(directory: Path, states: list[Truth]) -> list[FaultLine]:
    """Return the labels of mains looked at every five minutes, told every fifteen."""
    log = FaultLog(directory / "faults.jsonl")
    labels = Labels("L1", log, 3.0)
    for i, state in enumerate(states):
        labels.observe(NOON + i * 300 * SECOND, {"light-over-voltage": state}, 900.0)
    labels.close(NOON + len(states) * 300 * SECOND)
    log.close()
    return lines(directory / "faults.jsonl")


def test_mains_that_are_fine_for_a_moment_are_still_the_same_fault(tmp_path: Path) -> None:
    (line,) = wavering(tmp_path, [FINE, *[BAD] * 12, FINE, FINE, *[BAD] * 3, *[FINE] * 8])

    assert line.start == rfc3339(NOON + 300 * SECOND)
    assert line.end == rfc3339(NOON + 18 * 300 * SECOND), "since when it was gone, not when that was sure"


def test_mains_that_are_fine_for_long_are_wrong_anew(tmp_path: Path) -> None:
    found = wavering(tmp_path, [FINE, *[BAD] * 12, *[FINE] * 6, *[BAD] * 12, FINE])

    assert [line.end is None for line in found] == [False, False]


def test_label_has_no_end_when_the_fault_still_holds_at_shutdown(tmp_path: Path) -> None:
    (line,) = label(tmp_path, [FINE, BAD])

    assert line.end is None
    assert not line.detectable  # it held for one minute, a right rule needs two readings


def test_being_near_is_no_fault(tmp_path: Path) -> None:
    assert label(tmp_path, [FINE, NEAR, NEAR, FINE]) == []


def test_fault_that_only_hesitates_at_the_limit_need_not_be_seen(tmp_path: Path) -> None:
    hesitating = [FINE, BAD, NEAR, BAD, NEAR, BAD, NEAR, BAD, FINE]

    (line,) = label(tmp_path, hesitating)

    assert not line.detectable  # never two readings in a row


def test_fault_that_a_blind_sensor_hides_need_not_be_seen(tmp_path: Path) -> None:
    hidden = Truth(holds=True, hidden=True)

    (line,) = label(tmp_path, [FINE, hidden, hidden, hidden, hidden, FINE])

    assert not line.detectable


def test_fault_begins_for_the_watcher_when_its_sensor_can_see_it(tmp_path: Path) -> None:
    unseen = Truth(holds=True, hidden=True)

    (line,) = label(tmp_path, [FINE, unseen, unseen, BAD, BAD, BAD, FINE])

    assert line.earliest == rfc3339(NOON)
    assert line.start == rfc3339(NOON + 180 * SECOND)
    assert line.detectable


def test_expected_rules_are_those_of_the_default_packs() -> None:
    ids = {rule["id"] for path in RULES.glob("*.yaml") for rule in yaml.safe_load(path.read_text("utf-8"))}

    assert set(EXPECTED) <= ids


def test_six_hours_of_a_town_show_every_sort_of_fault_with_honest_labels(tmp_path: Path) -> None:
    town = small_town(interval_cap_s=60.0, bins=24, drones=3, fault_mean_days=0.5)
    lives(town, tmp_path, 6 * 3600)

    found = lines(tmp_path / "faults.jsonl")
    by_day = {"light-lamp-failure", "light-dimming-failure"}  # noon to six: lamps are off
    assert {line.expect for line in found if line.detectable} >= set(EXPECTED) - by_day
    names = {d.name for d in town.sensing}
    for line in found:
        assert line.device in names
        assert line.end is None or datetime.fromisoformat(line.start) < datetime.fromisoformat(line.end)
        assert datetime.fromisoformat(line.earliest) <= datetime.fromisoformat(line.start)


def test_healthy_town_has_no_faults_but_full_bins_and_wrong_clocks(tmp_path: Path) -> None:
    town = small_town(interval_cap_s=60.0, fault_mean_days=0.0)
    calm = replace(town, devices=tuple(device for device in town.sensing if not device.opening))

    lives(calm, tmp_path, 12 * 3600)

    assert {line.expect for line in lines(tmp_path / "faults.jsonl")} <= {"bin-overflow", "clock-wrong"}
