"""MAVLink's packets: cut out of damaged bytes, dated by the vehicle's clock, one of a message a second."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.wire.adapters.formats import FORMATS, FormatAway
from devices.wire.adapters.formats.bounded import MAX_MESSAGE
from devices.wire.adapters.formats.heard import Heard
from devices.wire.adapters.formats.mavlink import MAX_OF_TOPIC, MAX_VEHICLES, Mavlink
from devices.wire.adapters.formats.mavlink_packets import MAX_DAMAGED, MAX_PACKETS, Damaged, Packet, Packets
from devices.wire.adapters.formats.vehicle import KEPT, MAX_KEPT, MAX_MESSAGES, Vehicle
from devices.wire.adapters.uplink import Unreadable
from tests.autopilots import Autopilot, damaged

STARTED = 1_772_350_200_000_000
SECOND = 1_000_000
NOON = STARTED + 600 * SECOND
TOPIC = "fleet/DR-03/mavlink"


def checksum(data: bytes) -> bytes:
    """Return CRC-16/MCRF4XX bit by bit, as its definition has it: nothing of pymavlink."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def said(heard: Heard) -> list[tuple[str, int | None, list[str]]]:
    return [(one.device, one.at, list(one.values)) for one in heard.uplinks]


def test_a_position_is_read_as_the_message_set_lays_it_out() -> None:
    packet = bytes.fromhex(
        "fd 1c 00 00 07 03 01 210000"  # version 2, 28 bytes, no flags, 7th of system 3, autopilot, message 33
        "40e20100"  # 123456 ms since it started
        "48d68614 a0585b15"  # 34.4381 N, 35.8308 E
        "90b00000 70300000"  # 45.2 m above the sea, 12.4 m above home
        "3601 d3ff 0200 d66a"  # 3.1, -0.45 and 0.02 m/s; heading 273.5
    )
    packet += checksum(packet[1:] + bytes([104]))

    (uplink,) = Mavlink().read(TOPIC, packet, NOON).uplinks

    assert (uplink.device, uplink.at, uplink.counter, uplink.raw) == ("DR-03", None, None, packet)
    assert uplink.values == {
        "GLOBAL_POSITION_INT": {
            "time_boot_ms": 123456, "lat": 344381000, "lon": 358308000, "alt": 45200,
            "relative_alt": 12400, "vx": 310, "vy": -45, "vz": 2, "hdg": 27350,
        }
    }  # fmt: skip


def test_a_battery_is_read_of_the_first_version() -> None:
    packet = bytes.fromhex(
        "fe 1f 2a 03 01 01"  # version 1, 31 bytes, 42nd of system 3, autopilot, message 1
        "00000000 00000000 00000000"  # sensors
        "4001 c256 fa05"  # load 32.0 %, 22.210 V, 15.30 A
        "0000 0000 0000 0000 0000 0000"  # drops and errors
        "47"  # 71 %
    )
    packet += checksum(packet[1:] + bytes([124]))

    (uplink,) = Mavlink().read("fleet/DR-03", packet, NOON).uplinks

    battery = uplink.values["SYS_STATUS"]
    assert isinstance(battery, dict)
    assert (battery["voltage_battery"], battery["battery_remaining"], battery["load"]) == (22210, 71, 320)


def test_a_damaged_packet_costs_none_of_its_neighbours() -> None:
    drone = Autopilot(STARTED)
    parts = [drone.clock(NOON), drone.position(NOON), damaged(drone.battery(70)), drone.speed(4)]

    heard = Mavlink().read(TOPIC, b"".join(parts), NOON)

    assert said(heard) == [("DR-03", NOON, ["GLOBAL_POSITION_INT", "VFR_HUD"])]
    (refused,) = heard.refused
    assert (refused.device, refused.raw) == ("DR-03", parts[2])
    assert "SYS_STATUS of system 1 has a wrong checksum" in refused.why


def test_a_wrong_length_costs_no_packet_but_its_own() -> None:
    drone = Autopilot(STARTED)
    wrong = bytearray(drone.battery(70))
    wrong[1] += 9

    found = list(Packets().read(bytes(wrong) + drone.position(NOON) + drone.speed(4)))

    assert [one.name if isinstance(one, Packet) else "damaged" for one in found] == [
        "damaged", "GLOBAL_POSITION_INT", "VFR_HUD",
    ]  # fmt: skip
    assert found[0].raw == wrong


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_every_byte_is_of_a_packet_or_told_as_damaged(data: st.DataObject) -> None:
    drone = Autopilot(STARTED)
    whole = [drone.position(NOON), drone.battery(70), drone.speed(3), drone.heartbeat()]
    pieces = st.one_of(st.sampled_from(whole), st.binary(max_size=30), st.sampled_from(whole).map(damaged))
    payload = b"x" + b"".join(data.draw(st.lists(pieces, max_size=6)))

    found = list(Packets().read(payload))

    assert b"".join(one.raw for one in found) == payload
    assert all(one.why for one in found if isinstance(one, Damaged))


@pytest.mark.parametrize(
    "filling", [b"\xfd", b"\xfe", bytes.fromhex("fd020000000101210000"), b"\xfe\xff\x00\xfd", b"x"]
)
def test_bytes_that_are_no_packets_take_no_time(filling: bytes) -> None:
    packets, begun = Packets(), time.thread_time()

    found = list(packets.read((filling * MAX_MESSAGE)[:MAX_MESSAGE]))

    assert time.thread_time() - begun < 1
    assert sum(len(one.raw) for one in found) == MAX_MESSAGE
    assert len(found) <= MAX_DAMAGED


def test_a_message_of_too_many_packets_is_refused() -> None:
    with pytest.raises(Unreadable, match="more than 4,000 packets"):
        Mavlink().read(TOPIC, Autopilot(STARTED).heartbeat() * (MAX_PACKETS + 1), NOON)


def test_packets_that_come_one_by_one_are_of_the_second_that_they_were_said_in() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)
    parts = [drone.position(NOON + SECOND // 2), drone.battery(70), drone.speed(4)]

    heard = [reader.read(TOPIC, part, NOON + SECOND) for part in parts]

    assert [said(one)[0][1] for one in heard] == [NOON, NOON, NOON]


def test_only_the_first_of_a_message_stands_for_a_second_and_the_others_are_counted() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    tenth = SECOND // 10
    positions = [drone.position(NOON + n * tenth) for n in range(20)]

    heard = reader.read(TOPIC, drone.clock(NOON) + b"".join(positions), NOON)
    later = reader.read(TOPIC, drone.position(NOON + SECOND + 5 * tenth), NOON)

    assert said(heard) == [
        ("DR-03", NOON, ["GLOBAL_POSITION_INT"]),
        ("DR-03", NOON + SECOND, ["GLOBAL_POSITION_INT"]),
    ]
    assert [one.raw for one in heard.uplinks] == [positions[0], positions[10]]
    assert (heard.unread, later.uplinks, later.unread.total()) == ({"GLOBAL_POSITION_INT": 18}, [], 1)


def test_a_packet_that_comes_again_is_what_it_was_the_first_time() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)
    position, battery = drone.position(NOON), drone.battery(70)
    first = [reader.read(TOPIC, one, NOON).uplinks for one in (position, battery)]
    for n in range(1, 10):
        reader.read(TOPIC, drone.position(NOON + n * SECOND), NOON + n * SECOND)

    at = NOON + 10 * SECOND
    again = [reader.read(TOPIC, one, at, repeated=True).uplinks for one in (position, battery)]

    assert again == first


def test_a_packet_that_says_no_time_is_of_now_where_its_number_comes_round() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON) + drone.position(NOON), NOON)
    battery = drone.battery(70)
    reader.read(TOPIC, battery, NOON)
    later = NOON + 5 * SECOND
    reader.read(TOPIC, drone.position(later), later)

    assert said(reader.read(TOPIC, battery, later)) == [("DR-03", later, ["SYS_STATUS"])]


def test_only_so_many_messages_stand_for_a_second() -> None:
    drone = Autopilot(STARTED)
    named = [drone.named(NOON, f"v{n}", n) for n in range(MAX_MESSAGES + 1)]

    heard = Mavlink().read(TOPIC, drone.clock(NOON) + b"".join(named), NOON)

    assert [len(one.values) for one in heard.uplinks] == [MAX_MESSAGES]
    assert heard.unread == {f"NAMED_VALUE_FLOAT_v{MAX_MESSAGES}": 1}


def test_without_its_clock_a_vehicle_is_dated_when_it_is_heard() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()

    heard = reader.read(
        TOPIC, drone.battery(70) + drone.position(NOON, hdg=1) + drone.position(NOON, hdg=2), NOON
    )

    assert said(heard) == [("DR-03", None, ["SYS_STATUS", "GLOBAL_POSITION_INT"])]
    assert heard.uplinks[0].values["GLOBAL_POSITION_INT"]["hdg"] == 2  # type: ignore[index]
    assert heard.unread == {"GLOBAL_POSITION_INT": 1}


@pytest.mark.parametrize("unset", [0, 12_345_678, 10**17])
def test_a_clock_that_was_never_set_is_not_believed(unset: int) -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    wrong = Autopilot(unset).clock(unset)

    assert said(reader.read(TOPIC, wrong + drone.position(NOON), NOON))[0][1] is None


def test_a_clock_is_set_anew_only_where_it_is_off_by_more_than_a_second() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    near, far = Autopilot(STARTED + SECOND // 2), Autopilot(STARTED - 5 * SECOND)
    reader.read(TOPIC, drone.clock(NOON), NOON)

    kept = reader.read(TOPIC, near.clock(NOON) + drone.position(NOON), NOON)
    moved = reader.read(TOPIC, far.clock(NOON) + drone.position(NOON + SECOND), NOON)

    assert [said(kept)[0][1], said(moved)[0][1]] == [NOON, NOON - 4 * SECOND]


def test_a_vehicle_that_starts_anew_is_dated_by_its_new_clock() -> None:
    before, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, before.clock(NOON) + before.position(NOON), NOON)
    after = Autopilot(NOON + 60 * SECOND)
    at = NOON + 70 * SECOND

    unknown = reader.read(TOPIC, after.position(at), at)
    known = reader.read(TOPIC, after.clock(at) + after.position(at + SECOND), at)

    assert [said(unknown)[0][1], said(known)[0][1]] == [None, at + SECOND]


def test_a_vehicle_that_starts_anew_within_its_first_minute_is_not_dated_by_its_old_clock() -> None:
    before, reader = Autopilot(STARTED), Mavlink()
    at = STARTED + 40 * SECOND
    reader.read(TOPIC, before.clock(at) + before.position(at), at)
    after = Autopilot(at + 2 * SECOND)
    now = at + 5 * SECOND

    assert said(reader.read(TOPIC, after.position(now), now)) == [("DR-03", None, ["GLOBAL_POSITION_INT"])]


def test_a_packet_that_comes_late_or_again_is_no_new_start() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)
    late, again = drone.position(NOON - 8 * SECOND), drone.position(NOON - 300 * SECOND)

    heard = [reader.read(TOPIC, late, NOON), reader.read(TOPIC, again, NOON, repeated=True)]
    heard.append(reader.read(TOPIC, drone.position(NOON + SECOND), NOON + SECOND))

    assert [said(one)[0][1] for one in heard] == [NOON - 8 * SECOND, NOON - 300 * SECOND, NOON + SECOND]


def test_a_backlog_that_says_its_clock_is_of_the_same_start() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON) + drone.position(NOON), NOON)
    before = NOON - 300 * SECOND

    heard = reader.read(TOPIC, drone.clock(before) + drone.position(before), NOON + SECOND)
    more = reader.read(TOPIC, drone.position(before + SECOND), NOON + SECOND)

    assert [said(heard)[0][1], said(more)[0][1]] == [before, before + SECOND]


def test_a_clock_dates_what_stands_behind_it() -> None:
    before, after, reader = Autopilot(STARTED), Autopilot(NOON + 5 * SECOND), Mavlink()
    reader.read(TOPIC, before.clock(NOON), NOON)
    at = NOON + 20 * SECOND
    parts = [before.position(NOON + SECOND), after.clock(at), after.position(at)]

    heard = reader.read(TOPIC, b"".join(parts), at)

    assert [at for _, at, _ in said(heard)] == [NOON + SECOND, at]


def test_the_first_clock_dates_what_stands_before_it_of_the_same_start() -> None:
    before, drone = Autopilot(STARTED - 3_600 * SECOND), Autopilot(STARTED)
    parts = [before.position(NOON), drone.position(NOON - SECOND), drone.clock(NOON)]

    heard = Mavlink().read(TOPIC, b"".join(parts), NOON)

    assert [at for _, at, _ in said(heard)] == [None, NOON - SECOND]


def test_a_time_that_lies_far_ahead_sets_nothing() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)

    wrong = reader.read(TOPIC, drone.position(NOON, time_boot_ms=2**32 - 1), NOON)
    heard = reader.read(TOPIC, drone.position(NOON + SECOND), NOON + SECOND)

    assert [said(wrong)[0][1], said(heard)[0][1]] == [None, NOON + SECOND]


def test_only_the_autopilot_speaks_for_a_vehicle() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    companion, gimbal = Autopilot(NOON, component=191), Autopilot(NOON, component=154)
    reader.read(TOPIC, drone.clock(NOON), NOON)

    parts = [companion.battery(5), companion.clock(NOON + 3_600 * SECOND), gimbal.position(NOON)]
    parts += [drone.position(NOON), drone.battery(70)]
    heard = reader.read(TOPIC, b"".join(parts), NOON)

    assert said(heard) == [("DR-03", NOON, ["GLOBAL_POSITION_INT", "SYS_STATUS"])]
    assert heard.uplinks[0].values["SYS_STATUS"]["battery_remaining"] == 70  # type: ignore[index]
    assert heard.unread == {"SYS_STATUS": 1, "SYSTEM_TIME": 1, "GLOBAL_POSITION_INT": 1}


@pytest.mark.parametrize(
    ("topic", "device"),
    [
        ("foreign/tripoli/DR-03", "DR-03"),
        ("foreign/tripoli/DR-03/mavlink", "DR-03"),
        ("foreign/tripoli/field-2/link", "field-2:1"),
        ("fleet/north/DR-03/mavlink", "DR-03"),
        ("foreign/tripoli/DR-03/x/DR-04/mavlink", None),
        ("foreign/tripoli/DR-03/DR-04/link", None),
        ("foreign/tripoli/DR-03/DR-04", None),
        ("foreign/tripoli/mavlink", None),
    ],
)
def test_on_our_own_broker_nobody_speaks_for_another(topic: str, device: str | None) -> None:
    packet = Autopilot(STARTED).position(NOON)
    if device is not None:
        assert said(Mavlink().read(topic, packet, NOON))[0][0] == device
        return

    with pytest.raises(Unreadable, match="right below foreign/MUNICIPALITY/"):
        Mavlink().read(topic, packet, NOON)


def test_the_vehicle_that_was_heard_longest_ago_is_forgotten_first() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)
    for n in range(MAX_VEHICLES + 1):
        reader.read(f"fleet/V-{n}", drone.clock(NOON), NOON)
        reader.read(TOPIC, drone.battery(70), NOON)

    heard = [reader.read(topic, drone.position(NOON), NOON) for topic in (TOPIC, "fleet/V-1000", "fleet/V-0")]

    assert [said(one)[0][1] for one in heard] == [NOON, NOON, None]


def test_whoever_speaks_for_many_costs_others_nothing() -> None:
    drone, reader = Autopilot(STARTED), Mavlink()
    reader.read(TOPIC, drone.clock(NOON), NOON)
    for link in range(MAX_VEHICLES // MAX_OF_TOPIC - 1):
        for system in range(1, 255):
            reader.read(f"fleet/field-{link}/link", Autopilot(STARTED, system).clock(NOON), NOON)

    assert said(reader.read(TOPIC, drone.position(NOON), NOON))[0][1] == NOON


def test_what_is_known_of_a_vehicle_is_bounded() -> None:
    drone, vehicle = Autopilot(STARTED), Vehicle()
    for second in range(KEPT * 2):
        named = b"".join(drone.named(NOON, f"{second}v{n}", n) for n in range(MAX_MESSAGES))
        for packet in Packets().read(named):
            assert isinstance(packet, Packet)
            assert vehicle.stands_for(second, packet)

    assert sum(map(len, vehicle._kept.values())) == MAX_KEPT
    assert {type(one) for kept in vehicle._kept.values() for one in kept.values()} == {int}


def test_vehicles_of_a_link_have_clocks_of_their_own() -> None:
    seven, eight = Autopilot(STARTED, 7), Autopilot(STARTED - 100 * SECOND, 8)
    parts = [seven.clock(NOON), eight.position(NOON), seven.position(NOON), eight.clock(NOON)]

    heard = Mavlink().read("fleet/field-2/link", b"".join(parts), NOON)

    assert sorted(said(heard)) == [
        ("field-2:7", NOON, ["GLOBAL_POSITION_INT"]),
        ("field-2:8", NOON, ["GLOBAL_POSITION_INT"]),
    ]


def test_without_pymavlink_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20", None)

    with pytest.raises(FormatAway, match=r"pip install 'nabd\[mavlink\]'"):
        FORMATS["mavlink"]()
