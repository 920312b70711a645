"""Bytes by the layouts of a profile: fields, channels, blocks, entries, and what cannot be read."""

from __future__ import annotations

import pytest

from devices.wire.adapters.profile import NoReading
from tests.unit.wire.profile.profiles import profile, sent, values


@pytest.mark.parametrize(
    ("field", "payload", "stored"),
    [
        ('type = "u8"', "ff", 255),
        ('type = "i8"', "ff", -1),
        ('type = "u16"', "0102", 258),
        ('type = "u16", order = "little"', "0102", 513),
        ('type = "i24"', "fffffe", -2),
        ('type = "u32", scale = 0.1', "0000001f", 3.1),
        ('type = "f32"', "41c80000", 25.0),
        ('type = "f64", order = "little"', "0000000000003940", 25.0),
        ('type = "u16", mask = 0x0ff0', "1234", 0x23),
        ('type = "u8", at = -1, scale = 2, add = 1', "000005", 11),
    ],
)
def test_a_field_is_read(field: str, payload: str, stored: float) -> None:
    one = values('temperature_c = "v"', before=f'[[payload]]\nfields = [{{name = "v", {field}}}]')

    (element,) = one.read(sent(payload)).elements

    assert element["temperature_c"] == stored


def test_a_bit_is_yes_or_no() -> None:
    one = values('lid_open = "v"', before='[[payload]]\nfields = [{name = "v", type = "u8", bit = 3}]')

    assert [one.read(sent(p)).elements[0]["lid_open"] for p in ("08", "f7")] == [True, False]


TWO = """
[[payload]]
port = 2
size = 2
fields = [{name = "fill", type = "u8", at = 1}]

[[payload]]
says = "a heartbeat"
port = 2
starts = "aa .. 01"
"""


def test_the_first_layout_that_fits_is_read() -> None:
    one = values('fill_pct = "fill"', before=TWO)

    assert one.read(sent("0142", port=2)).elements[0]["fill_pct"] == 0x42
    assert one.read(sent("0142")).elements[0]["fill_pct"] == 0x42  # a port that nobody said excludes nothing
    with pytest.raises(NoReading, match="the message is a heartbeat and holds no measurement"):
        one.read(sent("aaff01", port=2))


@pytest.mark.parametrize(("payload", "port"), [("0142", 3), ("01", 2), ("aaff02", 2), ("", 2)])
def test_bytes_that_no_layout_fits_are_told_with_the_layouts_there_are(payload: str, port: int) -> None:
    one = values('fill_pct = "fill"', before=TWO)

    with pytest.raises(NoReading) as refused:
        one.read(sent(payload, port))

    assert "port 2 with 2 bytes; port 2 with starts aa .. 01" in str(refused.value)


CHANNELS = """
[[payload]]
tag = 2
channels = [
  {tag = "01 75", name = "battery", type = "u8"},
  {tag = "03 82", name = "distance", type = "u16", order = "little"},
]
"""


def test_channels_before_an_unknown_one_are_read_and_the_rest_is_told() -> None:
    one = values('battery_pct = "battery"\ndistance_mm = "distance"', before=CHANNELS)

    result = one.read(sent("01755c 99010203"))

    assert result.elements[0]["battery_pct"] == 92.0
    assert [str(t) for t in result.problems] == [
        "payload, byte 3 on = 99 01 02 03: no channel 99 01 is declared: what follows cannot be told apart"
    ]


def test_a_payload_that_ends_early_keeps_what_was_whole() -> None:
    one = values('battery_pct = "battery"\ndistance_mm = "distance"', before=CHANNELS)

    result = one.read(sent("01755c 038244"))

    assert "distance_mm" not in result.elements[0]
    assert "distance would be bytes 5 to 6 of 6" in str(result.problems[0])


def test_blocks_follow_by_their_flags() -> None:
    blocks = """
[[payload]]
flags_at = 0
flags = "u8"
first = 1
blocks = [
  {bit = 0, fields = [{name = "fill", type = "u8"}]},
  {bit = 2, fields = [{name = "battery", type = "u8"}]},
]
"""
    one = values('fill_pct = "fill"\nbattery_pct = "battery"', before=blocks)

    assert one.read(sent("05 0a 14")).elements[0] | {} == {
        "kind": "bin",
        "device": "BIN-1",
        "fill_pct": 10.0,
        "battery_pct": 20.0,
    }
    assert "fill_pct" not in one.read(sent("04 14")).elements[0]
    told = one.read(sent("07 0a 14")).problems
    assert "no block for bit 1 is declared" in str(told[0])


def test_entries_fill_the_rest() -> None:
    entries = """
[[payload]]
first = 1
repeat = "kept"
entry = [{name = "time", type = "u32"}, {name = "fill", type = "u8"}]
[[readings]]
each = "kept"
at = "time"
[readings.values]
fill_pct = "fill"
"""
    result = profile(entries).read(sent("00 69a3ecf8 0a 69a3ef50 0b 69"))

    assert [(e["ts"], e["fill_pct"]) for e in result.elements] == [
        (1772350712000000, 10.0),
        (1772351312000000, 11.0),
    ]
    assert "of 12" in str(result.problems[0])
