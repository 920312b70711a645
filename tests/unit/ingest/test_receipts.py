"""How receipts tell which numbers are settled."""

from __future__ import annotations

import pytest

from ingest.commit.settled import RANGES, ranges, split, within_element


def test_numbers_become_closed_ranges_in_order() -> None:
    assert ranges([(3, 3), (1, 2), (7, 7), (7, 7)]) == [(1, 3), (7, 7)]


def test_runs_that_overlap_become_one_range() -> None:
    assert ranges([(4, 9), (1, 20), (5, 6), (21, 21), (30, 31)]) == [(1, 21), (30, 31)]


def test_many_ranges_are_split_so_that_no_receipt_is_too_large_for_a_broker() -> None:
    numbers = range(0, 5 * RANGES, 2)

    parts = list(split([(n, n) for n in numbers]))

    assert [len(part) for part, _ in parts] == [RANGES, RANGES, RANGES // 2]
    assert [n for part, _ in parts for n, _ in part] == list(numbers)


def test_what_is_refused_stands_in_the_receipt_that_settles_it_however_much_it_is() -> None:
    refusals = [(n, "bad_value", "/fill_pct") for n in range(1, 3 * RANGES, 2)]
    accepted = [(n, n) for n in range(0, 3 * RANGES, 2)]

    parts = list(split(accepted, refusals))

    assert [told for told, _ in parts] == [[(k, k + RANGES - 1)] for k in range(0, 3 * RANGES, RANGES)]
    assert [one for _, rejected in parts for one in rejected] == refusals
    assert all(told[0][0] <= n <= told[0][1] for told, rejected in parts for n, _, _ in rejected)


@pytest.mark.parametrize(
    ("pointer", "payload", "within"),
    [
        ("", b'{"seq":1}', ""),
        ("/fill_pct", b'{"seq":1}', "/fill_pct"),
        ("/3", b"[1]", ""),
        ("/3/fill_pct", b" [1]", "/fill_pct"),
    ],
)
def test_pointer_of_a_receipt_begins_at_the_element(pointer: str, payload: bytes, within: str) -> None:
    assert within_element(pointer, payload) == within
