"""Which devices a seed gives, and that they always live the same life."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices import kinds
from devices.kinds import STRUCTURAL
from devices.kinds.kind import Kind
from firmware_sim.faults import FaultLog
from firmware_sim.member import Member
from firmware_sim.outbox import SimulatedReading
from firmware_sim.physics.model import SECOND
from firmware_sim.publish_log import digest
from firmware_sim.town import Town, make_town
from tests.unit.firmware_sim.build import KINDS, NOON, small_town

COUNTER = """
name = "walkway_counter"
title = {en = "Walkway counter", fr = "Compteur", ar = "عداد"}
headline = "people"
[[measurements]]
name = "people"
low = 0
high = 500
[[measurements]]
name = "weather"
type = "text"
choices = ["dry", "wet"]
[[measurements]]
name = "total"
counter = true
[[measurements]]
name = "night"
type = "boolean"
[[reporting]]
every_s = 300
"""


def lives(town: Town, directory: Path, seconds: int) -> dict[str, list[SimulatedReading]]:
    """Run every device of a town for some simulated seconds without a broker."""
    log = FaultLog(directory / "faults.jsonl")
    said: dict[str, list[SimulatedReading]] = {}
    for device in (*town.sensing, *town.strangers):
        member = Member(device, town, NOON, log, 0.0)
        said[device.name] = []
        while member.due <= NOON + seconds * SECOND:
            said[device.name] += member.tick(member.due)
        member.close(NOON + seconds * SECOND)
    log.close()
    return said


def test_town_lists_parents_before_their_children() -> None:
    seen: set[str] = set()
    for device in small_town().devices:
        assert device.parent is None or device.parent in seen
        assert device.name not in seen
        seen.add(device.name)


def test_town_has_the_numbers_asked_for() -> None:
    devices = small_town(bins=13, lights=9, drones=1, gateways=1).devices

    count = {kind: sum(d.kind == kind for d in devices) for kind in (*KINDS, *STRUCTURAL)}
    assert count == {"bin": 13, "light": 9, "drone": 1, "gateway": 1, "circuit": 2, "cabinet": 1}


def test_devices_declare_the_shortened_interval() -> None:
    assert all(d.attributes["interval_s"] == 5.0 for d in small_town().sensing)
    assert all("interval_s" not in d.attributes for d in small_town(interval_cap_s=None).sensing)


def test_same_seed_gives_the_same_readings(tmp_path: Path) -> None:
    first = lives(small_town(7), tmp_path, 600)
    second = lives(small_town(7), tmp_path, 600)
    other = lives(small_town(8), tmp_path, 600)

    assert first == second
    assert first["TRP-BIN-010"] != other["TRP-BIN-010"]


def test_readings_say_only_what_their_kind_declares(tmp_path: Path) -> None:
    town = small_town()
    for device in town.sensing:
        names = {m.name for m in KINDS[device.kind].measurements}
        for reading in lives_of(town, device.name, tmp_path):
            assert set(reading.values) <= names


def lives_of(town: Town, name: str, directory: Path) -> list[SimulatedReading]:
    return lives(town, directory, 60)[name]


def test_readings_of_one_device_have_rising_instants(tmp_path: Path) -> None:
    for readings in lives(small_town(), tmp_path, 600).values():
        instants = [r.observed_at for r in readings if r.observed_at is not None]
        assert instants == sorted(set(instants))


def test_counters_leave_no_gap(tmp_path: Path) -> None:
    for readings in lives(small_town(), tmp_path, 300).values():
        counted = [r.seq for r in readings if r.seq is not None]
        assert counted == list(range(1, len(counted) + 1))


def test_town_has_wrong_clocks_and_they_are_labelled(tmp_path: Path) -> None:
    said = lives(small_town(), tmp_path, 60)

    clocks = {r.clock for readings in said.values() for r in readings}
    assert clocks == {"right", "ahead", "unset"}
    for reading in (r for readings in said.values() for r in readings):
        if reading.clock == "unset":
            assert reading.observed_at is None
            assert str(reading.ts).startswith("1970-01-01T00:")


def test_bad_messages_carry_the_reason_expected_of_the_platform(tmp_path: Path) -> None:
    said = lives(small_town(), tmp_path, 600)

    reasons = {r.bad for readings in said.values() for r in readings}
    assert reasons == {None, "malformed", "bad_value", "bad_time", "unknown_device"}


def test_kind_from_toml_is_simulated_without_python(tmp_path: Path) -> None:
    (tmp_path / "counter.toml").write_text(COUNTER, encoding="utf-8")
    declared = kinds.load(tmp_path)
    town = small_town()
    made = make_with(declared)

    readings = [r for name, rs in lives(made, tmp_path, 3600).items() if "WALKWAY" in name for r in rs]

    assert len(readings) >= 4 * 12
    assert len(made.devices) == len(town.devices) + 4
    for reading in readings:
        values: Mapping[str, object] = reading.values
        assert 0.0 <= float(str(values["people"])) <= 500.0
        assert values["weather"] in ("dry", "wet")
        assert isinstance(values["night"], bool)
        assert reading.hash == digest(declared["walkway_counter"], reading.values)


def make_with(declared: Mapping[str, Kind]) -> Town:
    return make_town(7, declared, bins=20, lights=8, drones=2, interval_cap_s=None)
