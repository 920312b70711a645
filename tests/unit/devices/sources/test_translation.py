"""What becomes of the messages of a source while others are on their way, fail, and come again."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from devices.codecs.codec import CodecsAway, DecodedUplink
from devices.codecs.pool import Codecs
from devices.instants import to_datetime
from devices.kinds import load as load_kinds
from devices.profiles import Profiles
from devices.relay import Outcome
from devices.sources.frames import Frames
from devices.sources.source import Source, Way
from devices.sources.states import Counted
from devices.sources.translation import Translated, Translator, TranslatorMeans
from devices.wire.adapters.formats import FORMATS
from devices.wire.adapters.formats.mavlink import Mavlink
from devices.wire.adapters.profile import parse
from devices.wire.rejected import Reason
from tests.autopilots import Autopilot

NOON = 1_790_000_000_000_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND
PROFILE = """
profile = "counting"
title = "A level and a counter"
vendor = "Acme"
model = "Bin 7"
documented = "https://acme.example/bin-7"
kind = "bin"
{more}
[message]
device = "id"
counter = "n"
{payload}

[[readings]]

[readings.values]
distance_mm = "d"
battery_pct = "b"
"""


class CodecsThatCome:
    """Away at first, as while a process cannot be started."""

    def __init__(self) -> None:
        self.away = True

    async def decode(self, codec: object, payload: bytes, port: int | None, at: int) -> DecodedUplink:
        await asyncio.sleep(0)
        if self.away:
            raise CodecsAway("no process")
        return DecodedUplink(values={"d": 900}, warnings=())


def translator(
    format: str = "json",  # noqa: A002
    *,
    codec: Path | None = None,
    codecs: CodecsThatCome | None = None,
) -> Translator:
    more = f'codec = "{codec.name}"' if codec else ""
    payload = 'payload = "p"\nencoding = "hex"' if codec else ""
    profile = parse(PROFILE.format(more=more, payload=payload), load_kinds())
    directory = codec.parent if codec else Path()
    profiles = Profiles(profiles={"counting": profile}, files={"counting": directory / "counting.toml"})
    means = TranslatorMeans(profiles=lambda: profiles, codecs=cast("Codecs", codecs), device=lambda _: None)
    at = datetime.now(UTC)
    source = Source(
        id=1, name="s", municipality="tripoli", municipality_id=1, gateway="s", gateway_wire="s",
        way=Way.MQTT, format=format, profile="counting", profiles={}, url="", topics=(), protocol="5",
        username="",
        authority="", enabled=True, has_secret=False, created_at=at, changed_at=at,
    )  # fmt: skip
    return Translator(source, means, Frames({}, window=120 * SECOND))


def counted(distance: object = 900, n: int = 5) -> bytes:
    return json.dumps({"id": "b1", "n": n, "d": distance}).encode()


def end(one: Translator, found: Translated, now: int, reason: str | None = None) -> None:
    """Let all that a message says be committed."""
    outcomes = [Outcome(reason=reason)] * len(found.elements)
    one.end(found, one.settled(found, outcomes), now)


async def test_a_frame_that_only_counts_is_one_reading_within_the_window() -> None:
    one = translator()
    first = await one.translate("t", counted(), NOON)
    end(one, first, NOON)

    copy = await one.translate("t", counted(), NOON + 48 * SECOND)
    later = await one.translate("t", counted(), NOON + HOUR)

    assert [element["ts"] for element in first.elements] == [NOON]
    assert (copy.elements, copy.copies) == ([], 1)
    assert [element["ts"] for element in later.elements] == [NOON + HOUR]


@pytest.mark.parametrize("hours", [-2, 3])
async def test_a_frame_heard_again_by_a_gateway_whose_clock_is_wrong_is_a_copy(hours: int) -> None:
    def heard(gateway: str, gateway_at: int, network_at: int) -> bytes:
        gw_time, ns_time = (
            datetime.fromtimestamp(at / SECOND, UTC).isoformat() for at in (gateway_at, network_at)
        )
        copy = {"gatewayId": gateway, "gwTime": gw_time, "nsTime": ns_time}
        device = {"devEui": "24E124136A000001"}
        up = {"deviceInfo": device, "time": gw_time, "fCnt": 7, "object": {"d": 900}, "rxInfo": [copy]}
        return json.dumps(up).encode()

    one = translator("chirpstack")
    topic = "application/a/device/24e124136a000001/event/up"
    first = await one.translate(topic, heard("right", NOON, NOON + SECOND), NOON + SECOND)
    end(one, first, NOON + SECOND)

    late = NOON + 48 * SECOND
    copy = await one.translate(topic, heard("wrong", NOON + hours * HOUR, late), late)

    assert [element["ts"] for element in first.elements] == [NOON]
    assert (copy.elements, copy.copies) == ([], 1)


async def test_what_is_on_its_way_when_the_connection_is_lost_is_news_with_the_same_instant() -> None:
    one = translator()
    first = await one.translate("t", counted(), NOON)
    meanwhile = await one.translate("t", counted(), NOON + SECOND)

    one.end_all()

    again = await one.translate("t", counted(), NOON + HOUR, repeated=True)
    assert meanwhile.copies == 1
    assert again.elements == first.elements


async def test_what_is_read_in_part_only_is_counted_with_what_could_not_be_read() -> None:
    one = translator()
    partly = await one.translate("t", b'{"id": "b1", "n": 1, "d": 900, "b": "full\\u0000"}', NOON)
    whole = await one.translate("t", b'{"id": "b1", "n": 2, "d": 900, "b": 80}', NOON)
    nothing = await one.translate("t", b'{"id": "b1", "n": 3, "d": "deep", "b": "full"}', NOON)

    counted = Counted(messages=3)
    for found, outcome in ((partly, None), (whole, None), (nothing, Reason.MALFORMED)):
        counted += found.counted([Outcome(reason=outcome)], NOON)

    assert (counted.messages, counted.readings, counted.rejected) == (3, 2, 1)
    assert (counted.problems, counted.problem_at) == (1, NOON)
    assert counted.problem.startswith("b1: b = 'full\\x00': ")


async def test_what_is_rejected_is_not_counted_as_read_in_part_beside_that() -> None:
    one = translator()
    found = await one.translate("t", b'{"id": "b1", "n": 1, "d": 900, "b": "full"}', NOON)

    counted = found.counted([Outcome(reason=Reason.MALFORMED)], NOON)

    assert (counted.rejected, counted.problems, counted.problem, counted.problem_at) == (1, 0, "", None)


async def test_what_a_stream_holds_beside_readings_is_left_and_counted() -> None:
    one = translator("mavlink")
    drone = Autopilot(NOON - HOUR)

    found = await one.translate("fleet/D-1", drone.clock(NOON) + drone.heartbeat() + drone.speed(4), NOON)

    assert (found.elements, found.problems) == ([], {})
    assert found.unread == {"HEARTBEAT": 1, "VFR_HUD": 1}
    assert found.counted([], NOON) == Counted(unread=2)


async def test_a_packet_without_time_that_comes_again_keeps_its_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drone, reader = Autopilot(NOON - HOUR), Mavlink()
    monkeypatch.setitem(cast("dict[str, object]", FORMATS), "mavlink", lambda: reader)
    one = translator("mavlink")
    await one.translate("fleet/D-1", drone.clock(NOON), NOON)
    speed, later = drone.speed(4), NOON + 5 * SECOND
    await one.translate("fleet/D-1", speed, NOON)
    await one.translate("fleet/D-1", drone.position(later), later)

    await one.translate("fleet/D-1", speed, later, repeated=True)

    heard = reader.read("fleet/D-1", drone.speed(5), later)
    assert [uplink.at for uplink in heard.uplinks] == [later]  # of which the repeat took nothing


@pytest.mark.parametrize("year", ["0001", "9999"])
async def test_a_clock_that_is_nonsense_costs_no_reading(year: str) -> None:
    document = {"devEui": "24E124136A000001"}
    offset, at = ("+05:00", "01-01T00:00:00") if year == "0001" else ("-05:00", "12-31T23:59:59")
    copy = {"gatewayId": "a", "nsTime": f"{year}-{at}{offset}"}
    live = to_datetime(NOON).isoformat()
    up = {"deviceInfo": document, "time": live, "fCnt": 7, "object": {"d": 900}, "rxInfo": [copy]}
    one = translator("chirpstack")

    found = await one.translate("a/event/up", json.dumps(up).encode(), NOON)

    assert [element["ts"] for element in found.elements] == [NOON]
    assert list(map(to_datetime, found.on_their_way.values())) == [to_datetime(NOON)]


@pytest.mark.parametrize("distance", [900, "broken"])
async def test_a_rejected_frame_may_come_again(distance: object) -> None:
    one = translator()
    first = await one.translate("t", counted(distance), NOON)
    end(one, first, NOON, Reason.MALFORMED)

    again = await one.translate("t", counted(distance), NOON + SECOND, repeated=True)

    assert len(first.elements) == len(again.elements) == 1
    assert again.elements[0].get("refused") == first.elements[0].get("refused")


async def test_a_frame_whose_codec_was_away_is_news_when_it_comes_again(tmp_path: Path) -> None:
    file = tmp_path / "acme.js"
    file.write_text("function decodeUplink(input) { return {data: {}}; }")
    codecs = CodecsThatCome()
    one = translator(codec=file, codecs=codecs)
    said = b'{"id": "b1", "n": 5, "p": "0102"}'
    with pytest.raises(CodecsAway):
        await one.translate("t", said, NOON, waits=True)
    codecs.away = False

    again = await one.translate("t", said, NOON + SECOND, repeated=True, waits=True)

    assert [element["distance_mm"] for element in again.elements] == [900]


async def test_who_waits_takes_over_what_failed_and_has_a_copy_of_what_did_not() -> None:
    one = translator()
    first = await one.translate("t", counted(), NOON, waits=True)
    second, third = (
        asyncio.create_task(one.translate("t", counted(), NOON + SECOND, repeated=True, waits=True))
        for _ in range(2)
    )
    await asyncio.sleep(0.01)
    assert not second.done()

    one.end(first, {}, NOON + SECOND)
    taken = await second
    await asyncio.sleep(0.01)
    assert not third.done()
    end(one, taken, NOON + SECOND)

    assert taken.elements == first.elements
    assert (await third).copies == 1


async def test_a_reading_without_instant_keeps_its_own_however_long_it_is_not_settled() -> None:
    one = translator("nabd")
    topic, said = "nabd/v1/tripoli/bin/b1/telemetry", b'{"fill_pct": 1}'
    first = await one.translate(topic, said, NOON, repeated=True)
    late = await one.translate(topic, said, NOON + 20 * HOUR, repeated=True)
    end(one, late, NOON + 20 * HOUR)

    soon = await one.translate(topic, said, NOON + 20 * HOUR + SECOND, repeated=True)
    end(one, soon, NOON + 20 * HOUR + SECOND)
    news = await one.translate(topic, said, NOON + 21 * HOUR, repeated=True)

    assert [each.elements[0]["ts"] for each in (first, late, soon, news)] == [NOON] * 3 + [NOON + 21 * HOUR]


@pytest.mark.parametrize("name", ["a\0b", "a" * 9_000, "", 7, None, "a/b"])
async def test_a_gateway_whose_device_has_no_name_of_ours_is_refused(name: object) -> None:
    said = json.dumps([{"kind": "bin", "device": name, "fill_pct": 1}, {"kind": "bin", "device": "b1"}])

    found = await translator("nabd").translate("nabd/v1/tripoli/gateway/g1/telemetry", said.encode(), NOON)

    assert ["refused" in element for element in found.elements] == [True, False]
    assert [frame.device for frame in found.undated] == ["b1"]
