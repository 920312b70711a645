"""Whoever makes up names fills neither the disk nor the ledger; devices are kept as before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from ingest.commit.settled import MOST_STRANGERS, _few_strangers
from ingest.decide.allowance import KEPT_PER_HOUR, STRANGERS_PER_HOUR, Allowance
from ingest.decide.directory import Directory

HOUR = 3600 * 1_000_000


def kept(allowance: Allowance, names: int, *, stranger: bool, at: int = HOUR) -> int:
    """Return how many payloads of so many names, one each, are kept."""
    return sum(allowance.admits(f"n{number}", at, stranger=stranger) for number in range(names))


def test_names_that_are_made_up_share_one_allowance_and_devices_have_their_own() -> None:
    allowance = Allowance()

    assert kept(allowance, STRANGERS_PER_HOUR + 500, stranger=True) == STRANGERS_PER_HOUR
    assert kept(allowance, 500, stranger=False) == 500
    assert [allowance.admits("bin-1", HOUR) for _ in range(KEPT_PER_HOUR + 1)].count(True) == KEPT_PER_HOUR


def test_what_strangers_have_used_is_kept_given_back_and_restored() -> None:
    allowance = Allowance()
    allowance.restore(HOUR, {"x": 3}, strangers=STRANGERS_PER_HOUR - 2)

    assert kept(allowance, 10, stranger=True) == 2
    allowance.forget()
    assert kept(allowance, 10, stranger=True) == 2
    allowance.adopt()
    assert kept(allowance, 10, stranger=True) == 0
    assert kept(allowance, 10, stranger=True, at=2 * HOUR) == 10


def test_ledger_of_a_batch_names_few_strangers_and_counts_all() -> None:
    directory = cast(Directory, SimpleNamespace(registry=SimpleNamespace(by_name={"bin-1": None})))
    made_up = {(f"n{number}", "unknown_device"): 2 for number in range(MOST_STRANGERS + 500)}

    found = _few_strangers({**made_up, ("bin-1", "bad_value"): 7}, directory)

    assert len(found) == MOST_STRANGERS + 2
    assert found["", "unknown_device"] == 1000
    assert found["bin-1", "bad_value"] == 7
    assert sum(found.values()) == 2 * len(made_up) + 7
