"""What becomes of values: names, units, words, sentinels, geometry, several devices, and what is left."""

from __future__ import annotations

import time

import pytest

from devices.wire.adapters.profile import NoReading
from devices.wire.adapters.uplink import Unreadable, Uplink
from tests.unit.wire.profile.profiles import profile, said, sent, values


@pytest.mark.parametrize(
    ("line", "raw", "stored"),
    [
        ('distance_mm = {from = "v", unit = "cm"}', 120.5, 1205.0),
        ('distance_mm = {from = "v", unit = "in"}', 10, 254.0),
        ('distance_mm = "v"', "2000 mm", 2000.0),
        ('distance_mm = "v"', "2,5 m", 2500.0),
        ('distance_mm = "v"', " 2e3\t\n mm ", 2000.0),
        ('fill_pct = {from = "v", unit = "fraction"}', 0.625, 62.5),
        ('fill_pct = "v"', "62.5%", 62.5),
        ('temperature_c = {from = "v", unit = "degF"}', 77, 25.0),
        ('temperature_c = {from = "v", unit = "K"}', 298.15, 25.0),
        ('temperature_c = "v"', "25 ℃", 25.0),
        ('battery_v = {from = "v", unit = "mV"}', 3610, 3.61),
        ('battery_v = {from = "v", scale = 0.01, add = 2.5}', 111, 3.61),
        ('battery_pct = {from = "v", scale = 100, add = 0}', 31 * 0.01, 31.0),
        ('tilt_deg = {from = "v", words = {tilt = 90, normal = 0}}', "Tilt", 90),
        ('lid_open = {from = "v", words = {open = true, closed = false}}', "OPEN", True),
        ('lid_open = "v"', "ON", True),
        ('lid_open = "v"', 0, False),
        ('lid_open = {from = "v", words = {2 = true}}', 2.0, True),
    ],
)
def test_a_value_becomes_what_the_kind_stores(line: str, raw: object, stored: object) -> None:
    (element,) = values(line).read(said({"v": raw})).elements

    assert element[line.split(" ")[0]] == stored


@pytest.mark.parametrize("raw", [255, 255.0, 65535, -1, 327.67, 327.6700001, "n/a", "N/A", None])
def test_a_sentinel_is_not_measured_and_said_so(raw: object) -> None:
    one = values('fill_pct = {from = "v", none = [255, 65535, -1, 327.67, "n/a"]}\nbattery_pct = "b"')

    result = one.read(said({"v": raw, "b": 88}))

    assert result.elements == ({"kind": "bin", "device": "BIN-1", "fill_pct": None, "battery_pct": 88.0},)
    assert [told.where for told in result.absent] == ["v"]
    assert result.problems == ()


@pytest.mark.parametrize(("counter", "stored"), [(0, None), (1, None), (2, 85.0), (None, 85.0)])
def test_what_a_sensor_says_at_power_up_is_a_value_later(counter: int | None, stored: float | None) -> None:
    one = values('temperature_c = {from = "t", none_at_start = [85]}\nbattery_pct = "b"')

    (element,) = one.read(said({"t": 85, "b": 50}, counter)).elements

    assert element["temperature_c"] == stored


def test_the_next_path_is_asked_where_the_first_one_was_not_measured() -> None:
    one = values('distance_mm = {from = ["echoes[0]", "echoes[1]"], none = [0]}')

    (element,) = one.read(said({"echoes": [0, 1200]})).elements

    assert element["distance_mm"] == 1200.0


@pytest.mark.parametrize(
    ("container", "attributes", "fill"),
    [
        ("{empty = 1500, depth = 1200}", {}, 75.0),
        ('{empty = "install_height_mm", depth = "usable_depth_mm"}', {}, 75.0),  # the kind's defaults
        ('{empty = "install_height_mm", depth = "usable_depth_mm"}', {"install_height_mm": 1200.0}, 50.0),
        ("{empty = 500, depth = 1200}", {}, 0.0),
        ("{empty = 1800, depth = 1200}", {}, 100.0),
    ],
)
def test_a_distance_becomes_fill_by_the_geometry_of_the_container(
    container: str, attributes: dict[str, object], fill: float
) -> None:
    one = values(f'fill_pct = {{from = "d", unit = "cm", container = {container}}}')

    (element,) = one.read(said({"d": 60}), attributes=attributes).elements

    assert element["fill_pct"] == fill


def test_a_depth_of_nothing_is_told() -> None:
    one = values('fill_pct = {from = "d", container = {empty = 1500, depth = 0}}')

    with pytest.raises(NoReading, match="the depth of the container is 0 mm"):
        one.read(said({"d": 600}))


def test_time_and_counter_are_the_messages_own_where_the_profile_reads_no_others() -> None:
    one = values('fill_pct = "v"')

    (element,) = one.read(said({"v": 1}, counter=7, at=1772350200000000)).elements

    assert (element["ts"], element["seq"], "boot" in element) == (1772350200000000, 7, False)


def test_time_and_counters_are_read_where_the_profile_says() -> None:
    one = profile(
        '[[readings]]\nat = "t"\nseq = "n"\nboot = "starts"\n[readings.values]\nfill_pct = "v"',
    )

    (element,) = one.read(said({"v": 1, "t": "2026-03-01T07:30:00Z", "n": 3, "starts": 2}, at=1)).elements

    assert (element["ts"], element["seq"], element["boot"]) == (1772350200000000, 3, 2)


def test_a_time_that_is_none_is_told_and_the_messages_own_stands() -> None:
    one = profile('[[readings]]\nat = "t"\n[readings.values]\nfill_pct = "v"')

    result = one.read(said({"v": 1, "t": "yesterday"}, at=1772350200000000))

    assert result.elements[0]["ts"] == 1772350200000000
    assert [told.where for told in result.problems] == ["t"]


SEVERAL = """
[[readings]]
each = "lamps"
device = "{$device}-{id}"
[readings.values]
power_w = {from = "p", unit = "mW"}
dim_pct = "$.level"
"""


def test_one_message_is_of_several_devices() -> None:
    one = profile(SEVERAL, "light")
    message = {"level": 70, "lamps": [{"id": 1, "p": 71400}, {"id": 2, "p": "?"}, {"id": "a b", "p": 1}]}

    result = one.read(said(message))

    assert [(e["device"], e["power_w"], e["dim_pct"]) for e in result.elements if "power_w" in e] == [
        ("BIN-1-1", 71.4, 70.0)
    ]
    assert result.elements[1] == {"kind": "light", "device": "BIN-1-2", "dim_pct": 70.0}
    assert [(t.where, t.value) for t in result.problems] == [
        ("lamps[1].p", "?"),
        ("{$device}-{id}", "BIN-1-a b"),
    ]
    assert result.unread == ()


def test_entries_beyond_the_limit_are_told() -> None:
    one = profile(SEVERAL, "light")

    result = one.read(said({"level": 1, "lamps": [{"id": n, "p": 1} for n in range(1001)]}))

    assert len(result.elements) == 1000
    assert [str(told) for told in result.problems] == ["lamps = 1001: only the first 1000 entries are read"]


def test_entries_are_found_by_a_member() -> None:
    one = values('fill_pct = "m[name=fill].value"\nbattery_pct = "m[name=bat].value"')

    (element,) = one.read(said({"m": [{"name": "bat", "value": 9}, {"name": "fill", "value": 8}]})).elements

    assert (element["fill_pct"], element["battery_pct"]) == (8.0, 9.0)


def test_what_nothing_asks_for_is_listed() -> None:
    one = values('fill_pct = "a.fill"', before='ignores = ["a.known", "b"]')

    result = one.read(said({"a": {"fill": 1, "known": 2, "new": 3}, "b": {"c": 4}, "list": [5]}))

    assert [(t.where, t.value) for t in result.unread] == [("a.new", 3), ("list[0]", 5)]


@pytest.mark.parametrize(
    "said_to_be", ["1" + " " * 20_000 + "x\nx", "1" * 20_000 + "x", "1e" * 20_000, " " * 60]
)
def test_a_long_text_is_no_number_and_takes_no_time(said_to_be: str) -> None:
    begun = time.thread_time()

    result = values('fill_pct = "f"\nbattery_v = "b"').read(said({"f": 62.5, "b": said_to_be}))

    assert time.thread_time() - begun < 1
    assert "battery_v: not a number" in str(result.problems[0])


def test_a_value_that_cannot_be_converted_is_told_beside_those_that_can() -> None:
    one = values('fill_pct = "f"\nbattery_v = "b"\nlid_open = "l"')

    result = one.read(said({"f": 62.5, "b": "3 apples", "l": "ajar"}))

    assert result.elements == ({"kind": "bin", "device": "BIN-1", "fill_pct": 62.5},)
    assert [str(t) for t in result.problems] == [
        "b = '3 apples': battery_v: there is no unit 'apples'",
        "l = 'ajar': lid_open: neither yes nor no: say what it means in words = {\"ajar\" = true}",
    ]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({}, "nothing that the profile asks for is in the message"),
        ({"fillLevel": 62}, "unread: fillLevel = 62"),
        ({"fill": "full"}, "fill = 'full': fill_pct: not a number"),
        ({"fill": 255}, "not measured: fill = 255"),
        ({"fill": [1]}, "fill = [1]: fill_pct: not a number"),
        ({"fill": True}, "fill = True: fill_pct: not a number"),
        ({"fill": 10**400}, "fill_pct: too large for a number"),
        ({"fill": "1e999"}, "fill = '1e999': fill_pct: too large for a number"),
        ({"fill": float("nan")}, "not measured: fill = nan: fill_pct: it is no value"),
    ],
)
def test_a_message_without_a_measurement_is_refused_with_what_was_found(
    message: dict[str, object], reason: str
) -> None:
    one = values('fill_pct = {from = "fill", none = [255]}')

    with pytest.raises(NoReading) as refused:
        one.read(said(message))

    assert reason in str(refused.value)
    assert refused.value.result.elements == ()


def test_radio_is_stored_beside_a_measurement_and_is_none_itself() -> None:
    one = values('fill_pct = "fill"')
    radio = {"rssi_dbm": -97, "snr_db": 7.5, "gateways": 3}
    heard = Uplink(device="BIN-1", raw=b"", values={"fill": 1}, radio=radio)

    (element,) = one.read(heard).elements

    assert (element["rssi_dbm"], element["snr_db"], "gateways" in element) == (-97, 7.5, False)
    with pytest.raises(NoReading):
        one.read(Uplink(device="BIN-1", raw=b"", radio=radio))


def test_what_a_codec_decoded_is_read_in_place_of_bytes() -> None:
    one = values('fill_pct = "fill"')

    (element,) = one.read(sent("01"), decoded={"fill": 12}).elements

    assert element["fill_pct"] == 12.0


MESSAGE = """
[message]
device = "$topic[1]"
at = "time"
counter = "n"
values = "data"
radio = {rssi_dbm = "rx.rssi"}
"""


def test_a_plain_message_says_device_time_counter_and_radio_where_the_profile_says() -> None:
    one = values('fill_pct = "fill"', before=MESSAGE)

    uplink = one.uplink(
        b'{"time": 1772350200, "n": 5, "data": {"fill": 7}, "rx": {"rssi": -90}}', "bins/B-7/up"
    )

    assert (uplink.device, uplink.at, uplink.counter) == ("B-7", 1772350200000000, 5)
    assert (uplink.values, uplink.radio) == ({"fill": 7}, {"rssi_dbm": -90})


@pytest.mark.parametrize(
    ("document", "topic", "reason"),
    [
        (b"{", "bins/B-7", "no JSON"),
        (b"[" * 4000, "bins/B-7", "nested deeper"),
        (b"{}", "bins", "which device it is of"),
        (b'{"time": "soon"}', "bins/B-7", "no time"),
    ],
)
def test_a_plain_message_that_cannot_be_read_is_told(document: bytes, topic: str, reason: str) -> None:
    one = values('fill_pct = "fill"', before=MESSAGE)

    with pytest.raises(Unreadable, match=reason):
        one.uplink(document, topic)


@pytest.mark.parametrize(
    ("line", "unit", "raw", "stored"),
    [
        ('temperature_c = "v"', "K", 295.15, 22),
        ('temperature_c = "v"', "KEL", 295.15, 22),
        ('distance_mm = "v"', "m", 1.2, 1200),
        ('distance_mm = "v"', "MTR", 1.2, 1200),
        ('fill_pct = "v"', "/", 0.4, 40),
        ('distance_mm = {from = "v", unit = "cm"}', "m", 120, 1200),  # what the profile says counts
        ('battery_v = {from = "v", scale = 0.001}', "mV", 3600, 3.6),
    ],
)
def test_a_number_is_in_the_unit_of_its_source(line: str, unit: str, raw: float, stored: float) -> None:
    uplink = Uplink(device="A", raw=b"", values={"v": raw}, units={"v": unit})

    (element,) = values(line).read(uplink).elements

    assert element[line.split()[0]] == stored


def test_a_unit_that_cannot_be_converted_is_told() -> None:
    uplink = Uplink(device="A", raw=b"", values={"v": 3}, units={"v": "V"})

    with pytest.raises(NoReading, match="distance_mm: V cannot become mm"):
        values('distance_mm = "v"').read(uplink)


def test_two_readings_of_one_message_are_equal() -> None:
    one = values('fill_pct = "a.fill"')
    message = said({"a": {"fill": 1, "new": 3}})

    assert one.read(message) == one.read(message)
