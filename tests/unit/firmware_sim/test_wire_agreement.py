"""What simulated devices say is what the wire contract reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from devices.kinds.commands import known_commands
from devices.kinds.kind import Kind, ValueType
from devices.registry.validation import check_attributes, check_device_name, check_position
from devices.wire import Decoded, Decoder, topics
from firmware_sim.outbox import SimulatedReading
from firmware_sim.physics.model import Physics, Value
from firmware_sim.publish_log import digest
from tests.unit.firmware_sim.build import KINDS, NOON, make_bin, make_drone, make_light, small_town
from tests.unit.firmware_sim.test_town import lives


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> list[SimulatedReading]:
    """A quarter of an hour of a town, without the elements that need a gateway to be read."""
    said = lives(small_town(drones=3), tmp_path_factory.mktemp("town"), 900)
    return [r for readings in said.values() for r in readings if topics.parse(r.topic).kind == r.kind]


def row(decoded: Decoded, kind: Kind, i: int) -> dict[str, Value]:
    """Return one decoded row as a table would give it back."""
    values: dict[str, Value] = {}
    for measurement in kind.measurements:
        value = decoded.values[measurement.name][i]
        if measurement.type is ValueType.TEXT:
            values[measurement.name] = value
        elif not np.isnan(value):
            is_boolean = measurement.type is ValueType.BOOLEAN
            values[measurement.name] = bool(value) if is_boolean else float(value)
    return values


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_honest_readings_are_read_back_exactly(kind: Kind, spoken: list[SimulatedReading]) -> None:
    honest = [r for r in spoken if r.kind == kind.name and r.bad in (None, "unknown_device")]

    decoded, rejected = Decoder(kind).decode([r.element for r in honest])

    assert rejected == []
    assert len(decoded) == len(honest) > 30
    for i, reading in enumerate(honest):
        assert digest(kind, row(decoded, kind, i)) == reading.hash
        if reading.clock == "right":
            assert decoded.instant[i] == reading.observed_at


def test_bad_messages_are_rejected_for_the_reason_in_the_log(spoken: list[SimulatedReading]) -> None:
    bad = [r for r in spoken if r.bad not in (None, "unknown_device")]

    decoded, rejected = Decoder(KINDS["bin"]).decode([r.element for r in bad])

    assert len(decoded) == 0
    assert [str(r.reason) for r in sorted(rejected, key=lambda r: r.message)] == [r.bad for r in bad]
    assert len(bad) >= 3


def test_town_is_what_the_registry_accepts() -> None:
    for device in small_town(interval_cap_s=None).devices:
        check_device_name(device.name)
        check_position(device.lat, device.lon)
        check_attributes(device.attributes, KINDS.get(device.kind))


BUILDERS: Mapping[str, Callable[[], Physics]] = {"bin": make_bin, "light": make_light, "drone": make_drone}


@pytest.mark.parametrize("kind", BUILDERS)
def test_device_understands_the_commands_as_the_platform_words_them(kind: str) -> None:
    device = BUILDERS[kind]()
    device.step(NOON)
    commands = {name: known for name, known in known_commands(KINDS[kind]).items() if known.arguments}
    commands.pop("upload_mission", None)  # these drones keep the mission they have

    answers = {
        name: device.command(name, {argument.name: 60 for argument in known.arguments})
        for name, known in commands.items()
    }

    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(commands, "succeeded")
