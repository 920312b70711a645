"""What a device may send: floods are cut before they are decoded, and no honest backlog ever is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devices.kinds import load
from devices.kinds.kind import INTERVAL
from devices.registry.registry import Device, Municipality, Registry
from devices.wire import Decoder, Reason
from devices.wire.packed import pack
from ingest.broker.intake import Intake
from ingest.broker.received import MessageQueue
from ingest.commit.settled import Settled, count, receipts
from ingest.decide.batch import decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.decide.quotas import BACKLOG_S, FEWEST_READINGS, Quota, QuotaPlan, Quotas, most_readings

KINDS = load()
DECODERS = {name: Decoder(kind) for name, kind in KINDS.items()}
TRIPOLI = Municipality(
    id=1, name="tripoli", title={}, time_zone="Asia/Beirut", locale="ar-LB", weekend=(6, 7), lat=None,
    lon=None, register_unknown=False,
)  # fmt: skip
DAY_US = 86_400_000_000
START = 20_000 * DAY_US
READING = b'{"ts":%d,"boot":1,"seq":%d,"fill_pct":40.5,"lid_open":false,"battery_v":3.61,"signal_dbm":-97}'


def town(*devices: Device) -> Directory:
    """Return a directory of these devices."""
    return Directory(
        Registry(
            devices={d.id: d for d in devices},
            by_name={d.name: d for d in devices},
            municipalities={"tripoli": TRIPOLI},
        ),
        KINDS,
    )


def device(number: int, kind: str = "bin", interval_s: float | None = None, relays: str = "") -> Device:
    return Device(
        id=number,
        name=f"{kind}-{number}",
        kind=kind,
        municipality="tripoli",
        municipality_id=1,
        attributes={} if interval_s is None else {INTERVAL: interval_s},
        relays=(relays,) if relays else (),
    )


def taken(messages: Sequence[tuple[Device, bytes]], at: int = START) -> Intake:
    """Return an intake of messages received at one moment."""
    waiting = MessageQueue()
    together = waiting.together(
        topics=[f"nabd/v1/tripoli/{d.kind}/{d.name}/telemetry" for d, _ in messages],
        payloads=[payload for _, payload in messages],
        packet_ids=[0] * len(messages),
        received_at=at,
        size=0,
    )
    waiting.append(together)
    intake = waiting.take(len(messages), 0, None)
    assert intake is not None
    assert len(intake) == len(messages)
    return intake


def many(number: int, first: int = 0) -> bytes:
    """Return an array of readings."""
    return b"[" + b",".join(READING % (1_700_000_000 + i, i) for i in range(first, first + number)) + b"]"


def test_a_flood_is_cut_and_the_neighbours_are_not() -> None:
    flooding, honest = device(1), device(2)
    directory, quotas = town(flooding, honest), Quotas(QuotaPlan())
    messages = [m for n in range(100) for m in ((flooding, many(500)), (honest, READING % (n, n)))]

    intake = quotas.judge(taken(messages), directory)

    assert sorted(intake.over) == list(range(2 * FEWEST_READINGS // 500, 200, 2))
    assert "20,000 readings at once and then 600 a minute" in next(iter(intake.over.values()))
    # Half an hour later it is heard again, with what has drained meanwhile.
    later = quotas.judge(taken([(flooding, many(500))] * 40, START + 1_801_000_000), directory)
    assert min(later.over) == 600 * 30 // 500


def test_what_is_over_counts_one_is_not_decoded_and_gets_no_receipt() -> None:
    flooding = device(1)
    directory, quotas = town(flooding), Quotas(QuotaPlan(default=Quota(messages=30_000)))
    small = quotas.judge(taken([(flooding, READING % (n, n)) for n in range(30_000)]), directory)
    assert len(small.over) == 30_000 - FEWEST_READINGS
    intake = quotas.judge(taken([(flooding, b"this is no JSON"), (flooding, READING % (1, 1))]), directory)

    batch = decide(intake, directory, DECODERS, Offsets(), 90 * DAY_US)

    assert [(r.rejected.reason, r.rejected.readings) for r in batch.refused] == [(Reason.QUOTA, 1)] * 2
    settled = Settled(refused=list(batch.refused))
    assert receipts(settled, batch, directory) == []
    counts = count(settled, batch, directory, shard="main", number=1)
    assert (counts.received, counts.rejected) == (2, 2)
    assert counts.by_device == {("bin-1", "quota"): 2}


def test_after_three_days_away_everybody_returns_at_once_and_nobody_is_over() -> None:
    fleet = [
        *(device(n, "bin", 30.0) for n in range(1, 6)),
        *(device(n, "light") for n in range(6, 9)),
        device(9, "drone", 60.0),
        device(10, "gateway"),
        *(device(n, "bin", 300.0, relays="gateway-10") for n in range(11, 41)),
    ]
    directory, quotas = town(*fleet), Quotas(QuotaPlan())
    at = START
    for sender in fleet[:10]:
        # A gateway brings what all devices behind it have said.
        interval_s = {"bin": 30, "light": 900, "drone": 60, "gateway": 10}[sender.kind]
        readings = BACKLOG_S // interval_s
        backlog = [(sender, many(min(100, readings - n))) for n in range(0, readings, 100)]
        at += 1_000_000
        assert not quotas.judge(taken(backlog, at), directory).over
        assert not quotas.judge(taken([(sender, READING % (at, 0))], at + 1), directory).over
    # The next day is as every day: whoever sends at its own interval is never over.
    for _ in range(24 * 60 * 2):
        at += 30_000_000
        assert not quotas.judge(taken([(fleet[0], READING % (at, 0))] * 2, at), directory).over


def test_a_restart_and_a_dropped_intake_cost_nobody_anything() -> None:
    returning = device(1)
    directory, quotas = town(returning), Quotas(QuotaPlan())
    backlog = taken([(returning, many(500))] * (FEWEST_READINGS // 500))

    for _ in range(3):
        intake = quotas.judge(backlog, directory)
        assert not intake.over
        quotas.give_back(intake, directory)
    assert not quotas.judge(backlog, directory).over
    assert quotas.judge(backlog, directory).over
    assert not Quotas(QuotaPlan()).judge(backlog, directory).over


def test_a_bucket_stays_its_device_s_when_the_registry_grows_and_strangers_have_none() -> None:
    first, second = device(1), device(2)
    quotas = Quotas(QuotaPlan(default=Quota(readings=1)))
    stranger = replace(first, id=7, name="bin-7")
    full = taken([(first, many(1000))] * 20 + [(stranger, many(1000))] * 100)

    assert not quotas.judge(full, town(first)).over
    after = quotas.judge(taken([(first, many(10)), (second, many(1000))]), town(first, second))

    assert list(after.over) == [0]


def test_kinds_have_quotas_of_their_own_and_nought_is_none() -> None:
    one, other = device(1), device(2, "light")
    plan = QuotaPlan(default=Quota(messages=0, readings=0, bytes=0), of_kinds={"light": Quota(bytes=1)})
    directory, quotas = town(one, other), Quotas(plan)
    told = [
        quotas.judge(taken([(one, many(900))] * 50 + [(other, many(600))] * 50), directory).over
        for _ in range(10)
    ]

    assert min(told[0]) > 50
    assert min(told[-1]) >= 50
    assert "light" in str(told[-1])
    assert "bin" not in str(told)


def test_rows_of_an_array_are_counted_before_they_are_decoded() -> None:
    arrays = [many(750), b"[" + b"1," * 999 + b"1]", b"[]", b"[" + b"{}," * 5_000 + b"{}]"]

    objects, numbers, empty, too_many = most_readings(pack(arrays)).tolist()

    assert (objects, empty, too_many) == (750, 1, 1_000)
    assert numbers > 30
