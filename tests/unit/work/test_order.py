"""Which step of a work order may follow which."""

from __future__ import annotations

from itertools import pairwise

import pytest

from work.order import FOLLOWING, OPEN_STATES, WorkState, may_follow

S = WorkState


def test_every_state_says_what_may_follow() -> None:
    assert set(FOLLOWING) == set(WorkState)


@pytest.mark.parametrize("state", OPEN_STATES)
def test_open_orders_can_be_cancelled(state: WorkState) -> None:
    assert may_follow(S.CANCELLED, state)


def test_the_usual_way_leads_from_open_to_done() -> None:
    way = [S.OPEN, S.ASSIGNED, S.ACCEPTED, S.ON_THE_WAY, S.IN_PROGRESS, S.DONE]
    assert all(may_follow(after, before) for before, after in pairwise(way))


def test_nothing_follows_a_cancelled_order() -> None:
    assert not any(may_follow(state, S.CANCELLED) for state in WorkState)


def test_nobody_is_done_with_what_nobody_accepted() -> None:
    assert not may_follow(S.DONE, S.OPEN)
    assert not may_follow(S.DONE, S.ASSIGNED)
