"""What becomes of a message, from a real broker to a real table."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import msgspec

from devices.commands.answered import get_command
from devices.commands.configured import desire, get_config
from devices.commands.new_command import new_command
from devices.commands.queue import enqueue, put_back, take_due
from devices.instants import to_datetime
from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, UNCONFIRMED, UNDATED
from devices.registry.registry import get_device
from devices.wire.channels import receipt_of
from devices.wire.raw import sent_by_device
from readings.balance import gaps
from readings.rejections import list_rejections
from store.audit import PLATFORM
from tests.integration.ingest.conftest import Town
from tests.waiting import eventually, now

HOUR = 3_600_000_000


def topic(device: str = "b1", kind: str = "bin", municipality: str = "tripoli") -> str:
    return f"nabd/v1/{municipality}/{kind}/{device}/telemetry"


async def test_a_reading_is_stored_as_it_was_sent(town: Town) -> None:
    await town.start()
    at = now() - 60_000_000

    await town.publish(
        (topic(), {"ts": at // 1000, "boot": 3, "seq": 7, "fill_pct": 41.5, "lid_open": True, "door": 1})
    )
    await town.received(1)

    (row,) = await town.readings()
    assert row["name"] == "b1"
    assert row["observed_at"] == to_datetime(at // 1000 * 1000)
    assert (row["fill_pct"], row["lid_open"], row["temperature_c"]) == (41.5, True, None)
    assert (row["boot"], row["seq"], row["quality"], row["extra"]) == (3, 7, 0, {"door": 1})


async def test_a_batch_is_stored_but_for_its_bad_element(town: Town) -> None:
    await town.start()
    at = now() // 1000

    await town.publish(
        (
            topic(),
            [{"ts": at - 2, "fill_pct": 1}, {"ts": at - 1, "fill_pct": "full"}, {"ts": at, "fill_pct": 3}],
        )
    )
    sums = await town.received(3)

    assert (sums["stored"], sums["rejected"]) == (2, 1)
    assert await town.rejections() == [("b1", "bad_value", "/1/fill_pct")]
    assert [row["fill_pct"] for row in await town.readings()] == [1, 3]


async def test_a_repeat_is_a_duplicate_and_another_value_a_conflict(town: Town) -> None:
    await town.start()
    at = now() // 1000
    await town.publish((topic(), {"ts": at, "distance_mm": 900, "x": [1]}))
    await town.received(1)

    await town.publish(
        (topic(), {"ts": at, "distance_mm": 900, "x": [1]}), (topic(), {"ts": at, "distance_mm": 901})
    )
    sums = await town.received(3)

    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (1, 1, 1)
    assert await town.rejections() == [("b1", "conflict", "")]


async def test_a_repeat_within_one_batch_is_a_duplicate(town: Town) -> None:
    at = now() // 1000
    await town.start()
    reading = {"ts": at, "fill_pct": 10}

    await town.publish((topic(), [reading, reading, {"ts": at, "fill_pct": 11}]))
    sums = await town.received(3)

    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (1, 1, 1)
    assert await town.rejections() == [("b1", "conflict", "/2")]


async def test_every_kind_of_stranger_is_rejected_with_its_reason(town: Town) -> None:
    await town.start()
    sent: list[tuple[str, Any]] = [
        (topic("b7"), {"fill_pct": 1}),
        (topic("b1", municipality="nowhere"), {"fill_pct": 1}),
        (topic("b1", kind="toaster"), {"fill_pct": 1}),
        (topic("b1", kind="light"), {"power_w": 1}),
        ("nabd/v1/tripoli/bin/b 1/telemetry", {"fill_pct": 1}),
        (topic(), b"{"),
        (topic(), {"ts": "yesterday"}),
        (topic("g1", kind="gateway"), [{"kind": "bin", "device": "b1"}, {"kind": "bin", "device": "b9"}]),
    ]

    await town.publish(*sent)
    sums = await town.received(9)

    assert (sums["stored"], sums["rejected"]) == (1, 8)
    assert sorted(await town.rejections()) == [
        ("b 1", "bad_topic", ""),
        ("b1", "bad_time", "/ts"),
        ("b1", "malformed", ""),
        ("b1", "misplaced", ""),
        ("b1", "unknown_kind", ""),
        ("b1", "unknown_municipality", ""),
        ("b7", "unknown_device", ""),
        ("g1", "not_your_device", "/0"),
    ]


async def test_what_a_gateway_says_of_anothers_device_is_the_gateways_own(town: Town) -> None:
    await town.start()
    said = [
        {"kind": "bin", "device": "b1", "fill_pct": 1},
        {"kind": "light", "device": "b1", "power_w": 1},
        {"device": "b1", "refused": "not read"},
        {"device": "b9", "refused": "not read"},
    ]

    await town.publish((topic("g1", kind="gateway"), said))
    await town.received(4)

    assert sorted(await town.rejections()) == [
        ("b9", "malformed", "/3"),
        *(("g1", "not_your_device", f"/{place}") for place in range(3)),
    ]


async def test_a_reading_out_of_range_is_stored_and_marked(town: Town) -> None:
    await town.start()
    at = now() // 1000

    await town.publish((topic(), {"ts": at, "distance_mm": 65535, "temperature_c": 20}))
    await town.received(1)

    (row,) = await town.readings()
    assert row["distance_mm"] == 65535
    assert row["quality"] == 1 << 8 | UNCONFIRMED
    assert row["fill_pct"] is None


async def test_fill_is_derived_from_the_distance_where_it_is_absent(town: Town) -> None:
    await town.start()

    await town.publish((topic(), {"ts": now() // 1000, "distance_mm": 900}))
    await town.received(1)

    (row,) = await town.readings()
    assert row["fill_pct"] == 50.0


async def test_a_clock_ahead_is_corrected_and_its_repeat_meets_the_same_instant(town: Town) -> None:
    await town.start()
    ahead = now() + 3 * HOUR
    backlog = [{"ts": (ahead - i * 60_000_000) // 1000, "fill_pct": i} for i in (2, 1, 0)]

    await town.publish((topic(), backlog))
    await town.received(3)
    await town.publish((topic(), backlog[:1]))
    sums = await town.received(4)

    assert (sums["stored"], sums["duplicate"]) == (3, 1)
    rows = await town.readings()
    assert [row["quality"] for row in rows] == [CLOCK_CORRECTED] * 3
    assert rows[2]["observed_at"] == rows[2]["received_at"]
    assert (rows[2]["observed_at"] - rows[0]["observed_at"]).total_seconds() == 120


async def test_one_glitched_time_does_not_drag_the_right_ones_along(town: Town) -> None:
    await town.start()
    at = now()
    century = 36_500 * 24 * HOUR

    await town.publish(
        (topic(), [{"ts": at - 1_000_000, "fill_pct": 1}, {"ts": at + century, "fill_pct": 2}])
    )
    await town.received(2)
    await town.publish((topic(), {"ts": at + 1_000_000, "fill_pct": 3}))
    sums = await town.received(3)

    assert sums["rejected"] == 0
    rows = {row["fill_pct"]: row for row in await town.readings()}
    assert [rows[fill]["quality"] for fill in (1, 2, 3)] == [0, CLOCK_CORRECTED, 0]
    assert rows[3]["observed_at"] == to_datetime(at + 1_000_000)


async def test_a_clock_set_right_is_believed_between_what_it_said_before(town: Town) -> None:
    await town.start()
    at = now()

    await town.publish(
        (topic(), [{"ts": at - 2 * HOUR, "fill_pct": 1}, {"ts": at + 2 * HOUR, "fill_pct": 2}])
    )
    await town.received(2)
    await town.publish((topic(), {"ts": at, "fill_pct": 3}))
    await town.received(3)

    row = next(row for row in await town.readings() if row["fill_pct"] == 3)
    assert (row["observed_at"], row["quality"]) == (to_datetime(at), 0)


async def test_an_impossible_derived_value_is_marked(town: Town) -> None:
    await town.start()

    await town.publish((topic("u1", "drone"), {"ts": now() // 1000, "flow_lpm": 40, "speed_mps": 0.1}))
    await town.received(1)

    (row,) = await town.readings("drone")
    assert row["application_l_ha"] > 500
    assert row["quality"] == 1 << 24 | UNCONFIRMED


async def test_an_answer_that_nests_too_deeply_is_rejected_and_harms_nobody(town: Town) -> None:
    await town.start()
    deep = b'{"id":"8c5b1c5e-6f0e-4a53-9e35-6d0f6f0a8c11","status":"succeeded","result":%s1%s}'

    await town.publish(
        ("nabd/v1/tripoli/bin/b1/response", deep % (b"[" * 500, b"]" * 500)),
        (topic("b2"), {"ts": now() // 1000, "fill_pct": 1}),
    )
    await town.received(1)

    assert await eventually(town.rejections) == [("b1", "malformed", "")]


async def test_newest_values_survive_a_kill_before_they_were_flushed(town: Town) -> None:
    await town.start()
    at = now() // 1000
    await town.publish((topic(), {"ts": at - 1000, "fill_pct": 1}), (topic(), {"ts": at, "fill_pct": 99}))
    await town.received(2)

    async def flushed() -> Any:
        return await town.connection.fetchval("SELECT measurements ->> 'fill_pct' FROM latest")

    assert await eventually(flushed)
    await town.shut_down()
    # As a kill would have left it: the last flush never happened.
    await town.connection.execute(
        "UPDATE latest SET measurements = '{}', observed_at = observed_at - '1 s'::interval,"
        " received_at = received_at - '1 s'::interval"
    )
    await town.start()

    assert float(await flushed()) == 99


async def test_an_unset_clock_keeps_the_spacing_and_says_so(town: Town) -> None:
    await town.start()

    await town.publish((topic(), [{"ts": 30, "fill_pct": 1}, {"ts": 90, "fill_pct": 2}]))
    sums = await town.received(2)

    assert sums["undated"] == 2
    rows = await town.readings()
    assert [row["quality"] for row in rows] == [UNDATED | CLOCK_UNSET] * 2
    assert (rows[1]["observed_at"] - rows[0]["observed_at"]).total_seconds() == 60


async def test_a_reading_without_time_takes_the_receive_time(town: Town) -> None:
    await town.start()

    await town.publish((topic(), {"fill_pct": 1}), (topic(), [{"fill_pct": 2}, {"fill_pct": 3}]))
    sums = await town.received(3)

    assert (sums["stored"], sums["undated"], sums["rejected"]) == (2, 2, 1)
    assert await town.rejections() == [("b1", "bad_time", "/1/ts")]
    rows = await town.readings()
    assert [row["observed_at"] for row in rows] == [row["received_at"] for row in rows]


async def test_a_numbered_reading_earns_a_receipt_once_it_is_settled(town: Town) -> None:
    await town.start()
    at = now() // 1000
    async with town.client("listener") as client:
        await client.subscribe("nabd/v1/tripoli/bin/b1/receipt", qos=1)
        readings = [{"ts": at - i, "boot": 5, "seq": 10 - i, "fill_pct": i} for i in (0, 1, 3)]
        bad = {"ts": at - 5, "boot": 5, "seq": 20, "fill_pct": "x"}

        await town.publish((topic(), [*readings, bad]))

        message = await anext(aiter(client.messages))
        assert msgspec.json.decode(message.payload) == {
            "device": "b1",
            "boot": 5,
            "seq": [[7, 7], [9, 10], [20, 20]],
            "rejected": [[20, "bad_value", "/fill_pct"]],
        }


async def test_what_a_gateway_translated_leaves_the_original_behind_unless_it_is_refused(town: Town) -> None:
    await town.start()
    at = now() // 1000
    original = base64.b64encode(b"\x01\x75\x64").decode()
    good = {"kind": "bin", "device": "b9", "ts": at, "boot": 1, "seq": 1, "fill_pct": 7, "raw": original}
    bad = {**good, "ts": at - 1, "seq": 2, "fill_pct": "?"}
    lost = {"device": "b9", "boot": 1, "seq": 3, "refused": "no profile", "raw": original}
    stranger = {"device": "b77", "boot": 1, "seq": 4, "refused": "no profile", "raw": original}
    again = {**good, "seq": 5, "raw": "bm90IHRoZSBzYW1l"}
    async with town.client("listener") as client:
        await client.subscribe("nabd/v1/tripoli/gateway/g1/receipt", qos=1)

        await town.publish((topic("g1", "gateway"), [good, bad, lost, stranger, again]))

        heard = [receipt_of(bytes((await anext(aiter(client.messages))).payload)) for _ in range(2)]
    assert {(n, *why) for one in heard for n, *why in one.rejected} == {
        (2, "bad_value", "/fill_pct"),
        (3, "malformed", ""),
        (4, "unknown_device", ""),
    }
    assert {one.device: [tuple(r) for r in one.seq] for one in heard} == {
        "b9": [(1, 3), (5, 5)],
        "b77": [(4, 4)],
    }
    sums = await town.received(5)
    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (1, 1, 3)
    assert [(row["fill_pct"], row["extra"]) for row in await town.readings()] == [(7, None)]
    rejected = await list_rejections(town.connection)
    assert [sent_by_device(one.payload) for one in rejected] == [b"\x01\x75\x64"] * 3


async def test_numbers_that_a_gateway_wrote_earn_receipts_and_say_nothing_of_the_device(town: Town) -> None:
    await town.start()
    at = now() // 1000
    said = {"kind": "bin", "device": "b9", "ts": at, "boot": 1, "seq": 1, "fill_pct": 7, "relayed": True}
    more = {**said, "seq": 5, "temperature_c": 24}
    later = {**said, "ts": at + 1, "seq": 9}
    async with town.client("listener") as client:
        await client.subscribe("nabd/v1/tripoli/gateway/g1/receipt", qos=1)
        for element in (said, more, later):
            await town.publish((topic("g1", "gateway"), [element]))
            heard = receipt_of(bytes((await anext(aiter(client.messages))).payload))
            assert (heard.boot, heard.seq) == (1, [(element["seq"], element["seq"])])
        await town.publish((topic("g1", "gateway"), [{**said, "seq": 10}]))
    sums = await town.received(4)

    assert (sums["stored"], sums["duplicate"], sums["rejected"]) == (2, 1, 1)
    assert [(row["boot"], row["seq"]) for row in await town.readings()] == [(None, None)] * 2
    device = await get_device(town.connection, "b9")
    assert await gaps(town.connection, device) == []


async def test_original_bytes_are_never_stored_with_a_reading_whatever_they_are(town: Town) -> None:
    await town.start()
    at = now() // 1000
    raws = ["AAAA", "no base64!", 7, "A" * 8_000, None]

    await town.publish(
        (topic(), [{"ts": at - i, "fill_pct": i, "door": i, "raw": raw} for i, raw in enumerate(raws)])
    )
    await town.received(len(raws))

    assert sorted(row["extra"]["door"] for row in await town.readings()) == list(range(len(raws)))
    assert all(set(row["extra"]) == {"door"} for row in await town.readings())


async def test_presence_is_kept_and_what_is_no_presence_is_rejected(town: Town) -> None:
    await town.start()

    await town.publish(
        ("nabd/v1/tripoli/bin/b1/presence", b"online"), ("nabd/v1/tripoli/bin/b2/presence", b"?")
    )

    async def online() -> Any:
        return await town.connection.fetchval("SELECT online FROM presence")

    assert await eventually(online)
    assert await eventually(town.rejections) == [("b2", "malformed", "")]


async def test_device_reports_what_it_is_set_to_and_is_told_what_waits_when_it_is_back(town: Town) -> None:
    await town.start()
    device = await get_device(town.connection, "b1")
    kinds = town.options().kinds
    command = new_command(device, kinds["bin"], "report_now", {}, id=uuid4(), now=now)
    await enqueue(town.connection, [command], now, by=PLATFORM)
    await take_due(town.connection, now, 1)
    await put_back(town.connection, [command.id], now)
    await desire(town.connection, kinds, "b1", {"interval_s": 60}, now, by=PLATFORM)
    said = {"config": {"interval_s": 300}, "version": 1, "firmware": "2.4.1"}

    await town.publish(
        ("nabd/v1/tripoli/bin/b1/presence", b"online"),
        ("nabd/v1/tripoli/bin/b1/reported", said),
        ("nabd/v1/tripoli/bin/b1/reported", {"config": {"interval_s": [1]}}),
        ("nabd/v1/tripoli/bin/b1/reported", {"config": {"a": "x" * 5_000}}),
    )

    async def known() -> Any:
        return (await get_config(town.connection, "b1")).reported

    assert await eventually(known) == {"interval_s": 300}
    config = await get_config(town.connection, "b1")
    assert (config.agreement, config.drift, config.firmware) == ("apart", ("interval_s",), "2.4.1")
    assert len(await take_due(town.connection, now, 1)) == 1
    assert await eventually(town.rejections) == [("b1", "malformed", "")] * 2


async def test_an_answer_moves_its_command(town: Town) -> None:
    await town.start()
    device = await get_device(town.connection, "b1")
    command = new_command(device, town.options().kinds["bin"], "report_now", {}, id=uuid4(), now=now)
    await enqueue(town.connection, [command], now, by=PLATFORM)

    await town.publish(
        (
            "nabd/v1/tripoli/bin/b1/response",
            {"id": str(command.id), "status": "succeeded", "result": {"ok": 1}},
        )
    )

    async def settled() -> Any:
        found = await get_command(town.connection, command.id)
        return found if found.settled else None

    found = await eventually(settled)
    assert (found.status, found.result) == ("succeeded", {"ok": 1})


async def test_an_unknown_device_registers_itself_where_the_municipality_lets_it(town: Town) -> None:
    await town.connection.execute("UPDATE municipality SET register_unknown = true")
    await town.start()

    await town.publish((topic("new-1"), {"ts": now() // 1000, "fill_pct": 1}))
    sums = await town.received(1)

    assert sums["stored"] == 1
    assert [row["name"] for row in await town.readings()] == ["new-1"]


async def test_what_was_quarantined_is_received_again_once_adopted(town: Town) -> None:
    from readings.quarantine import adopt

    await town.start()
    at = now() // 1000
    await town.publish((topic("late-1"), {"ts": at, "fill_pct": 12}))
    await town.received(1)
    received_at = await town.connection.fetchval("SELECT received_at FROM rejection")

    await adopt(town.connection, town.options().kinds, "late-1", now, by=PLATFORM)
    sums = await town.received(2)

    assert (sums["stored"], sums["rejected"]) == (1, 1)
    (row,) = await town.readings()
    assert (row["name"], row["fill_pct"], row["received_at"]) == ("late-1", 12, received_at)


async def test_the_newest_reading_of_each_device_is_kept_for_screens(town: Town) -> None:
    await town.start()
    at = now() // 1000

    await town.publish(
        (topic(), [{"ts": at - 1000, "fill_pct": 1}, {"ts": at, "fill_pct": 2, "battery_v": 3.6}]),
        (topic(), {"ts": at - 500, "fill_pct": 9}),
    )

    async def kept() -> Any:
        return await town.connection.fetchval("SELECT measurements FROM latest")

    assert await eventually(kept) == {"fill_pct": 2, "battery_v": 3.6}
