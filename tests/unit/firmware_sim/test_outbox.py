"""Store and forward: what leaves when, and what stays."""

from __future__ import annotations

import msgspec

from firmware_sim import outbox
from firmware_sim.outbox import Outbox, SimulatedReading, payload


def reading(number: int, *, size: int = 10, alone: bool = False, receipt: bool = False) -> SimulatedReading:
    return SimulatedReading(
        topic="t",
        device="B1",
        kind="bin",
        observed_at=number,
        ts=number,
        clock="right",
        values={},
        element=msgspec.json.encode({"ts": number, "pad": "x" * size}),
        boot=1,
        seq=number,
        alone=alone,
        receipt=receipt,
    )


def filled(count: int, *, size: int = 10, receipt: bool = False) -> Outbox:
    box = Outbox()
    for number in range(count):
        box.add(reading(number, size=size, receipt=receipt))
    return box


def numbers(box: Outbox) -> list[int | None]:
    return [w.reading.observed_at for w in box.take()]


def test_outbox_sends_one_message_at_a_time_oldest_first() -> None:
    box = filled(3)

    assert numbers(box) == [0, 1, 2]
    assert box.take() == []


def test_outbox_sends_a_backlog_in_arrays_of_at_most_a_thousand() -> None:
    box = filled(1500)

    assert len(numbers(box)) == outbox.MOST_ELEMENTS
    box.accepted(0)
    assert len(numbers(box)) == 500


def test_outbox_keeps_messages_below_the_size_limit() -> None:
    box = filled(100, size=2000)

    batch = box.take()

    assert 1 < len(batch) < 100
    assert len(payload(batch)) <= 65_536


def test_single_reading_is_an_object_and_several_are_an_array() -> None:
    box = filled(1)
    assert payload(box.take()).startswith(b"{")
    box.accepted(0)
    box.add(reading(1))
    box.add(reading(2))
    assert len(msgspec.json.decode(payload(box.take()))) == 2


def test_what_must_go_alone_shares_no_message() -> None:
    box = filled(2)
    box.add(reading(2, alone=True))
    box.add(reading(3))

    sent = []
    while batch := numbers(box):
        sent.append(batch)
        box.accepted(0)

    assert sent == [[0, 1], [2], [3]]


def test_refused_batch_goes_back_to_the_front() -> None:
    box = filled(2)
    box.take()
    box.add(reading(2))

    box.refused()

    batch = box.take()
    assert [w.reading.observed_at for w in batch] == [0, 1, 2]
    assert not any(w.repeat for w in batch)


def test_batch_lost_with_the_link_is_sent_again_as_a_repeat() -> None:
    box = filled(1)
    box.take()

    box.lost()

    assert [w.repeat for w in box.take()] == [True]


def test_receipt_stops_resending_and_its_absence_does_not() -> None:
    box = filled(4, receipt=True)
    box.take()
    box.accepted(resend_at=100)

    assert box.settle("B1", 1, [(0, 1), (3, 3)]) == 3
    assert box.resend_overdue(99) == 0
    assert box.resend_overdue(100) == 1
    assert numbers(box) == [2]


def test_receipt_of_another_boot_settles_nothing() -> None:
    box = filled(1, receipt=True)
    box.take()
    box.accepted(resend_at=100)

    assert box.settle("B1", 2, [(0, 9)]) == 0
    assert box.unsettled == 1
