"""Which batch each step belongs to, and where the slowest messages spent their time."""

from __future__ import annotations

import numpy as np
import pytest

from bench.throughput.paths.slowest import PARTS, paths
from bench.throughput.paths.stamps import STEPS, BatchStamps

COMMITTING = ["decided", "fenced", "readings", "ledger", "consumed", "committed", "acknowledged"]


def stamped(steps: list[str]) -> list[dict[str, int]]:
    """Return the instants of each batch; the clock goes on by one at each step."""
    written: list[list[int]] = []
    ticks = iter(range(len(steps)))
    stamps = BatchStamps(lambda: next(ticks), written.append)
    for step in steps:
        stamps(step)
    return [dict(zip(STEPS, instants, strict=True)) for instants in written]


def test_batch_that_is_decided_when_its_turn_comes_waits_for_no_other() -> None:
    first, second = stamped(["taken", *COMMITTING, "taken", *COMMITTING])

    assert (first["taken"], first["ahead"], first["decided"]) == (0, 1, 1)
    assert list(second.values()) == [8, 9, *range(9, 16)]


def test_batch_decided_while_another_commits_waits_from_then_on() -> None:
    steps = ["taken", "taken", "decided", "fenced", "decided ahead", *COMMITTING[2:], *COMMITTING]

    first, second = stamped(steps)

    assert (first["ahead"], first["decided"], first["acknowledged"]) == (2, 2, 9)
    assert (second["taken"], second["ahead"], second["decided"]) == (1, 4, 10)


def test_batch_that_is_still_being_decided_when_its_turn_comes_is_the_one_that_was_decided() -> None:
    steps = [
        "taken",
        "taken",
        *COMMITTING,
        "taken",
        "decided ahead",
        *COMMITTING,
        "decided ahead",
        *COMMITTING,
    ]

    _, second, third = stamped(steps)

    assert (second["ahead"], second["decided"]) == (10, 11)
    assert (third["taken"], third["ahead"]) == (9, 18)


def test_steps_outside_of_a_batch_are_nobodys() -> None:
    assert stamped(["decided", "committed", "acknowledged", "decided ahead"]) == []


def test_paths_add_up_to_what_each_message_took_and_tell_the_slowest_apart() -> None:
    stamps = np.array([[2, 5, 5, 6, 16, 17, 18, 20, 21], [30, 31, 40, 41, 42, 43, 44, 140, 150]]) * 1000
    intended = np.array([*range(0, 1990, 10), 22_000])
    told_apart_after_the_batch_was_taken = 2100
    received = np.array([*[1500] * 198, told_apart_after_the_batch_was_taken, 25_000])
    batch = np.array([0] * 199 + [1])

    every, slowest = paths(intended, received, batch, stamps)

    assert list(slowest) == list(PARTS)
    assert slowest == dict(zip(PARTS, [2.25, 2.75, 2.0, 4.5, 1.0, 5.5, 1.0, 1.0, 49.0, 5.5], strict=True))
    assert sum(every.values()) == pytest.approx(np.mean(stamps[batch, -1] - intended) / 1000, abs=0.05)
