"""What a form takes, and where what people enter is published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from devices.kinds import load
from devices.kinds.kind import Measurement, ValueType
from devices.registry.errors import Invalid
from devices.wire.topics import GATEWAY, HAND, BadTopic, Channel, hand_gateway, parse
from readings.by_hand.form import checked, counters, parsed

BIN = load()["bin"]
METER = replace(
    BIN,
    inspection=("total_l", "valve", "sealed", "remark"),
    measurements=(
        *BIN.measurements,
        Measurement(name="total_l", bit=40, low=0, counter=True),
        Measurement(name="valve", bit=41, type=ValueType.TEXT, choices=("open", "half_shut")),
        Measurement(name="sealed", bit=42, type=ValueType.BOOLEAN),
        Measurement(name="remark", bit=43, type=ValueType.TEXT),
    ),
)


def test_values_are_taken_as_the_kind_says_them() -> None:
    said: dict[str, Any] = {"total_l": 12, "valve": " OPEN ", "sealed": False, "remark": "<b>ok"}

    found = checked(METER, said)

    assert found == {"total_l": 12.0, "valve": "open", "sealed": False, "remark": "<b>ok"}
    assert counters(METER, found) == {"total_l": 12.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("total_l", -1),
        ("total_l", True),
        ("total_l", "12"),
        ("total_l", float("nan")),
        ("total_l", float("inf")),
        ("valve", "ajar"),
        ("valve", 1),
        ("sealed", 1),
        ("sealed", "yes"),
        ("remark", " "),
        ("remark", "x" * 65),
        ("fill_pct", 50),
    ],
)
def test_what_the_kind_does_not_say_is_refused_with_its_field(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        checked(METER, {name: value})

    assert refused.value.field == f"measurements.{name}"


def test_what_a_broken_sensor_says_is_no_reading_of_a_person() -> None:
    with pytest.raises(Invalid, match="broken sensor"):
        checked(BIN, {"distance_mm": 0})


def test_what_is_typed_at_a_terminal_becomes_values() -> None:
    texts = {"total_l": "12.5", "sealed": "Yes", "valve": "open", "who": "x"}

    assert parsed(METER, texts) == {"total_l": 12.5, "sealed": True, "valve": "open", "who": "x"}
    for name, text in (("total_l", "much"), ("sealed", "perhaps")):
        with pytest.raises(Invalid):
            parsed(METER, {name: text})


def test_the_gateway_of_people_is_one_that_no_device_can_be() -> None:
    topic = hand_gateway("tripoli")

    assert parse(str(topic)) == topic
    assert (topic.kind, topic.device, topic.channel) == (GATEWAY, HAND, Channel.TELEMETRY)
    with pytest.raises(BadTopic):
        parse(f"nabd/v1/tripoli/bin/{HAND}/telemetry")


def test_every_kind_of_ours_has_a_form_for_people() -> None:
    for kind in load().values():
        assert kind.by_hand
        assert not any(m.of_link for m in kind.by_hand)
