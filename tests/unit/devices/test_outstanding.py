"""What waits for a receipt: numbered, batched, sent again until it has come, and told what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from devices.relay.outstanding import LONGEST_S, RECEIPT_S, Numbered, Outcome, Outstanding
from devices.wire import MAX_ELEMENTS, MAX_PAYLOAD
from devices.wire.channels import Receipt

BOOT = 77


def outstanding(*elements: Mapping[str, object]) -> Outstanding:
    made = Outstanding(boot=BOOT)
    for element in elements:
        made.add(element)
    return made


def receipt(
    *runs: tuple[int, int], boot: int = BOOT, rejected: tuple[tuple[int, str, str], ...] = ()
) -> Receipt:
    return Receipt("b1", boot, runs, rejected)


def seqs(batch: list[Numbered]) -> list[int]:
    return [one.seq for one in batch]


def test_every_element_has_the_number_of_its_start() -> None:
    (one, two) = outstanding({"fill_pct": 1}, {"fill_pct": 2, "seq": 9}).take(0.0)

    assert json.loads(one.body) == {"fill_pct": 1, "boot": BOOT, "seq": 1, "relayed": True}
    assert json.loads(two.body)["seq"] == 2


def test_no_message_is_larger_than_the_wire_allows() -> None:
    made = outstanding(*({"n": "x" * 300} for _ in range(2_500)), *({"n": 1} for _ in range(2_500)))

    sizes, count = [], []
    while batch := made.take(0.0):
        sizes.append(len(b",".join(one.body for one in batch)) + 2)
        count.append(len(batch))

    assert max(sizes) <= MAX_PAYLOAD
    assert max(count) == MAX_ELEMENTS
    assert sum(count) == 5_000


def test_an_element_that_no_message_holds_is_sent_as_refused() -> None:
    (one,) = outstanding({"kind": "bin", "device": "b1", "note": "x" * MAX_PAYLOAD}).take(0.0)

    said = json.loads(one.body)
    assert (said["device"], said["seq"]) == ("b1", 1)
    assert "bytes" in said["refused"]
    assert "kind" not in said


def test_a_receipt_settles_what_it_lists_and_says_what_was_rejected() -> None:
    made = outstanding({}, {}, {}, {})
    made.take(0.0)

    found = made.heard(receipt((1, 3), rejected=((2, "bad_value", "/fill_pct"),)))

    assert found == {1: Outcome(), 2: Outcome(reason="bad_value", pointer="/fill_pct"), 3: Outcome()}
    assert [outcome.settled for outcome in found.values()] == [True, False, True]
    assert set(made.pending) == {4}
    assert made.heard(receipt((1, 3))) == {}


def test_a_receipt_of_any_range_costs_no_more_than_what_is_pending() -> None:
    made = outstanding({}, {})
    made.take(0.0)

    assert set(made.heard(receipt((0, 2**62)))) == {1, 2}


def test_a_receipt_of_another_start_settles_nothing() -> None:
    made = outstanding({})
    made.take(0.0)

    assert made.heard(receipt((1, 1), boot=BOOT + 1)) == {}
    assert set(made.pending) == {1}


def test_what_has_no_receipt_is_sent_again_first_and_ever_more_seldom() -> None:
    made = outstanding({}, {})
    assert seqs(made.take(0.0)) == [1, 2]
    made.heard(receipt((1, 1)))
    assert made.overdue(RECEIPT_S - 1) == []

    now, waits = 0.0, []
    for _ in range(8):
        started = now
        while not (late := made.overdue(now)):
            now += 1.0
        waits.append(now - started)
        made.put_back(late)
        new = made.add({})
        assert seqs(made.take(now)) == [2, new]
        made.heard(receipt((new, new)))

    assert waits[:3] == [RECEIPT_S, 2 * RECEIPT_S, 4 * RECEIPT_S]
    assert waits[-1] == LONGEST_S


def test_what_was_settled_while_it_waited_to_be_sent_again_is_not_sent() -> None:
    made = outstanding({}, {})
    made.put_back(made.take(0.0))

    made.heard(receipt((1, 1)))

    assert seqs(made.take(0.0)) == [2]


def test_what_nobody_waits_for_is_not_sent() -> None:
    made = outstanding({}, {})

    assert made.forget([1, 99]) == 1
    assert seqs(made.take(0.0)) == [2]


def test_an_element_that_was_sent_for_days_waits_no_longer_than_others() -> None:
    made = outstanding({"fill_pct": 1})
    made.pending[1].tries = 5_000

    (one,) = made.take(0.0)

    assert (one.due, one.tries) == (LONGEST_S, 5_001)
