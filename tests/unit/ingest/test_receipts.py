"""How receipts tell which numbers are settled."""

from __future__ import annotations

from ingest.commit.settled import RANGES, ranges, split


def test_numbers_become_closed_ranges_in_order() -> None:
    assert ranges([(3, 3), (1, 2), (7, 7), (7, 7)]) == [(1, 3), (7, 7)]


def test_runs_that_overlap_become_one_range() -> None:
    assert ranges([(4, 9), (1, 20), (5, 6), (21, 21), (30, 31)]) == [(1, 21), (30, 31)]


def test_many_ranges_are_split_so_that_no_receipt_is_too_large_for_a_broker() -> None:
    numbers = range(0, 5 * RANGES, 2)

    parts = list(split([(n, n) for n in numbers]))

    assert [len(part) for part in parts] == [RANGES, RANGES, RANGES // 2]
    assert [n for part in parts for n, _ in part] == list(numbers)
