"""A clock that stands still: nothing is refused for it, the time of receipt counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from devices.columns import MISSING
from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, UNDATED
from ingest.decide.accept import Accepted
from tests.unit.ingest.test_any_bytes import NOW_MS, decided, said, topic

UNSET = UNDATED | CLOCK_UNSET
HOUR_MS = 3_600_000


def accepted(*messages: Any) -> tuple[Accepted, list[str]]:
    """Return what becomes of messages of one bin, and the reasons of rejections."""
    batch = decided([(topic("b1"), said(message)) for message in messages])
    return batch.accepted["bin"], [str(r.rejected.reason) for r in batch.refused]


@pytest.mark.parametrize("ts", [4_294_967_295, 4_294_967_295_000, 2_147_483_647])
def test_a_clock_of_all_bits_is_unset_and_every_reading_counts_when_it_is_received(ts: int) -> None:
    rows, refused = accepted(*({"ts": ts, "temperature_c": t} for t in (24, 24, 25, 120, 24)))

    assert refused == []
    assert rows.columns.values["temperature_c"].tolist() == [24, 24, 25, 120, 24]
    assert rows.columns.observed_at.tolist() == rows.columns.received_at.tolist()
    assert (rows.columns.quality & UNSET == UNSET).all()


def test_elements_of_one_message_without_a_clock_keep_their_order() -> None:
    rows, refused = accepted([{"ts": 4_294_967_295, "fill_pct": n} for n in range(3)])

    assert refused == []
    assert rows.columns.values["fill_pct"].tolist() == [0, 1, 2]
    assert np.diff(rows.columns.observed_at).tolist() == [1, 1]


@pytest.mark.parametrize("boot", [{"boot": 1}, {}])
@pytest.mark.parametrize("behind_ms", [0, 5 * HOUR_MS, -30 * 365 * 24 * HOUR_MS])
def test_a_repeated_instant_with_a_new_number_and_other_values_is_a_clock_that_stands_still(
    behind_ms: int, boot: dict[str, int]
) -> None:
    stuck = [{"ts": NOW_MS - behind_ms, **boot, "seq": n, "temperature_c": 24 + 24 * n} for n in range(5)]

    apart, refused_apart = accepted(*stuck)
    together, refused_together = accepted(stuck)

    assert refused_apart == refused_together == []
    for rows, first in ((apart, False), (together, True)):
        assert rows.columns.values["temperature_c"].tolist() == [24, 48, 72, 96, 120]
        assert [bool(q & CLOCK_UNSET) for q in rows.columns.quality] == [first, True, True, True, True]
        assert not (rows.columns.quality[1:] & CLOCK_CORRECTED).any()
        assert (np.diff(rows.columns.observed_at) > 0).all()


def test_backlogs_of_clocks_that_say_nothing_do_not_meet_in_one_instant() -> None:
    backlog = [{"ts": 4_294_967_295, "fill_pct": n} for n in range(4)]

    rows, refused = accepted(backlog, *({"ts": 4_294_967_295, "fill_pct": n} for n in (4, 5)), backlog)

    assert refused == []
    assert len(rows.columns) == 10
    assert (np.diff(rows.columns.observed_at) > 0).all()


def test_a_clock_far_ahead_that_stands_still_is_seen_without_numbers() -> None:
    rows, refused = accepted(*({"ts": 3_471_292_800_000, "temperature_c": t} for t in (24, 25, 120)))

    assert refused == []
    assert rows.columns.values["temperature_c"].tolist() == [24, 25, 120]


def test_without_numbers_or_with_the_same_number_another_reading_of_an_instant_is_a_conflict() -> None:
    for more in ({}, {"boot": 1, "seq": 4}):
        _, refused = accepted(*({"ts": NOW_MS, "fill_pct": fill, **more} for fill in (1, 2)))
        assert refused == ["conflict"]


@pytest.mark.parametrize(("relayed", "reasons"), [({"relayed": True}, ["conflict"]), ({}, [])])
def test_numbers_that_a_gateway_wrote_prove_no_clock_of_a_device(
    relayed: dict[str, bool], reasons: list[str]
) -> None:
    of_b9 = {"kind": "bin", "device": "b9", "ts": NOW_MS, "boot": 1, **relayed}
    sent = [[{**of_b9, "seq": 1, "fill_pct": 10, "temperature_c": 20}], [{**of_b9, "seq": 2, "fill_pct": 10}]]

    batch = decided([(topic("g1"), said(message)) for message in sent])

    assert [str(r.rejected.reason) for r in batch.refused] == reasons
    assert [r.rejected.number for r in batch.refused] == [(1, 2)] * len(reasons)
    rows = batch.accepted["bin"].columns
    assert (rows.seq.tolist() == [MISSING]) is bool(relayed)
    assert rows.receipted()[1].tolist()[0] == 1
