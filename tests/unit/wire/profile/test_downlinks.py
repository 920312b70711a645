"""How a profile says commands: the bytes, and what is wrong with a table, at its place."""

from __future__ import annotations

import math

import pytest

from devices import profiles
from devices.kinds import load
from devices.wire.adapters.downlink import Downlink, NotEncoded
from devices.wire.adapters.profile.downlinks import ProfileDownlink
from tests.unit.wire.profile.profiles import mistakes, profile

READS = """
[[readings]]
[readings.values]
fill_pct = "fill"
"""
GOOD = """\
profile = "one"
title = "One"
kind = "bin"

[[readings]]
[readings.values]
fill_pct = "fill"

[downlinks.reboot]
port = 85
hex = "ff 10 ff"

[downlinks.set_interval]
port = 85
hex = "ff 03 {interval_s}"
arguments = {interval_s = {type = "u16", order = "little"}}
examples = [{args = {interval_s = 1200}, hex = "ff03b004"}]
"""


def interval(form: str, hex_: str = "03 {interval_s}") -> ProfileDownlink:
    """Return how the interval is said, its argument in a form."""
    body = f'port = 1\nhex = "{hex_}"\narguments = {{interval_s = {{{form}}}}}'
    return profile(f"{READS}\n[downlinks.set_interval]\n{body}").downlinks["set_interval"]


def said(form: str, value: float) -> str:
    return interval(form).payload({"interval_s": value}).hex(" ")


@pytest.mark.parametrize(
    ("form", "value", "bytes_"),
    [
        ('type = "u16"', 1200, "03 04 b0"),
        ('type = "u16", order = "little"', 1200, "03 b0 04"),
        ('type = "u24"', 70_000, "03 01 11 70"),
        ('type = "i8", scale = -1', 5, "03 fb"),
        ('type = "u8", unit = "min"', 1200, "03 14"),
        ('type = "u8", scale = 2.55', 60, "03 99"),
        ('type = "u8", scale = 0.1, add = 1', 100, "03 0b"),
        ('type = "f32"', 1.5, "03 3f c0 00 00"),
    ],
)
def test_an_argument_stands_in_the_bytes_as_the_device_reads_it(form: str, value: float, bytes_: str) -> None:
    assert said(form, value) == bytes_


@pytest.mark.parametrize(
    ("form", "value", "why"),
    [
        ('type = "u16"', 65_536, "interval_s: 65536 does not fit into u16"),
        ('type = "u8", scale = -1', 1, "interval_s: 1 does not fit into u8"),
        ('type = "u8", unit = "min"', 90, "interval_s: 90 would be 1.5 there, which is not whole"),
        ('type = "f32"', 1e39, "interval_s: 1e+39 does not fit into f32"),
        ('type = "f32"', math.inf, "interval_s: inf does not fit into f32"),
        ('type = "u16", scale = 1000', 1e308, "interval_s: 1e+308 does not fit into u16"),
        ('type = "f64", scale = 1000', 1e308, "interval_s: 1e+308 does not fit into f64"),
        ('type = "u16"', math.nan, "interval_s: nan does not fit into u16"),
        ('type = "f64"', 10**400, f"interval_s: 1{'0' * 39} does not fit into f64"),
    ],
)
def test_an_argument_that_the_bytes_cannot_hold_is_refused(form: str, value: float, why: str) -> None:
    with pytest.raises(NotEncoded) as refused:
        said(form, value)
    assert str(refused.value) == why


def test_an_argument_that_nobody_gave_is_refused() -> None:
    with pytest.raises(NotEncoded, match="interval_s is missing"):
        interval('type = "u16"').payload({})


def test_values_for_a_codec_have_the_arguments_in_their_places() -> None:
    body = (
        'data = {interval = "{interval_s}", more = [{unit = "s"}, "{interval_s}"], text = "{interval_s} s"}'
    )
    one = profile(f'codec = "x.js"\n{READS}\n[downlinks.set_interval]\n{body}').downlinks["set_interval"]

    assert (one.port, one.confirmed) == (None, True)
    assert one.values({"interval_s": 60}) == {
        "interval": 60,
        "more": [{"unit": "s"}, 60],
        "text": "{interval_s} s",
    }
    with pytest.raises(NotEncoded, match="interval_s is missing"):
        one.values({})


def test_a_good_table_has_no_mistake() -> None:
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (
            "downlinks.reboot",
            "downlinks.rebot",
            "one.toml:9:1: unknown key 'rebot'; did you mean 'reboot'?",
        ),
        ("downlinks.reboot", "downlinks.set_dimming", "one.toml:9:1: unknown key 'set_dimming'; "),
        ("port = 85\nhex", "prot = 85\nhex", "one.toml:10:1: unknown key 'prot'; did you mean 'port'?"),
        ("port = 85\nhex", "hex", "one.toml:9:1: port is missing: on which the device hears it"),
        ("port = 85", "port = 224", "one.toml:10:1: port is a whole number from 1 to 223, not 224"),
        ('hex = "ff 10 ff"', 'hex = "ff 1"', "one.toml:11:1: hex: non-hexadecimal number"),
        ('hex = "ff 10 ff"', "", "one.toml:9:1: a downlink has either hex, or data for encodeDownlink"),
        ('hex = "ff 10 ff"', "data = {a = 1}", "one.toml:11:1: data is for encodeDownlink of a codec"),
        ('hex = "ff 10 ff"', f'hex = "{"00" * 243}"', "one.toml:11:1: 243 bytes: LoRaWAN carries 242"),
        ('hex = "ff 10 ff"', 'hex = "{x}"', "one.toml:11:1: reboot has no argument 'x'; known: none yet"),
        (
            "{interval_s}",
            "{interval}",
            "one.toml:15:1: set_interval has no argument 'interval';",
        ),
        (" {interval_s}", "", "one.toml:15:1: {interval_s} stands nowhere: the device would not hear it"),
        ('type = "u16"', 'type = "u61"', "one.toml:16:28: there is no type 'u61'; known: u8, i8,"),
        ('type = "u16"', 'type = "hex:2"', "one.toml:16:28: there is no type 'hex:2'; known: u8, i8,"),
        ('order = "little"', 'order = "litle"', "one.toml:16:42: order is big or little, not 'litle'"),
        ('order = "little"', 'unit = "V"', "one.toml:16:42: interval_s is in s: V cannot become s"),
        ('order = "little"', 'order = "big"', "one.toml:17:42: gives ff 03 04 b0, not ff 03 b0 04"),
        ("interval_s = 1200", "interval = 1200", "one.toml:17:40: interval_s is missing"),
        ("{interval_s = {", "{intervals = {", "one.toml:16:14: unknown key 'intervals'; did you mean"),
    ],
)
def test_a_mistake_is_told_at_its_place(right: str, wrong: str, told: str) -> None:
    assert right in GOOD

    found = mistakes(GOOD.replace(right, wrong, 1))

    assert any(line.startswith(told) for line in found), found


def test_what_no_codec_is_asked_for_speaks_of_known_arguments_only() -> None:
    text = GOOD.replace('title = "One"', 'title = "One"\ncodec = "x.js"').replace(
        'hex = "ff 10 ff"', 'data = {a = "{delay}"}'
    )

    assert mistakes(text) == ["one.toml:12:1: reboot has no argument 'delay'; known: none yet"]


@pytest.mark.parametrize(("port", "size"), [(0, 1), (224, 1), (1, 0), (1, 243)])
def test_nobody_carries_a_downlink_without_bytes_or_of_the_network_s_own_ports(port: int, size: int) -> None:
    with pytest.raises(NotEncoded):
        Downlink(port=port, payload=bytes(size), confirmed=False)


def test_shipped_profiles_say_what_their_vendors_document() -> None:
    shipped = profiles.load(load(profiles.KINDS))
    both = {name for name, one in shipped.items() if set(one.downlinks) == {"reboot", "set_interval"}}

    assert both == {"milesight-em310-udl", "milesight-em500-smtc", "milesight-em500-udl"}
    assert {name for name, one in shipped.items() if one.downlinks} == both | {
        "milesight-em400-mud",
        "milesight-em400-tld",
    }
    for name in both:
        told = shipped[name].downlinks
        assert told["reboot"].payload({}).hex() == "ff10ff"
        assert told["set_interval"].payload({"interval_s": 1200}).hex() == "ff03b004"
        assert {one.port for one in told.values()} == {85}
