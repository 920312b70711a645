"""What is counted where: times, deadlines, ages, effectiveness, and nothing where there is nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.unit.work.figures.builders import MONDAY, WEEK, at, order
from work.figures.facts import AlertCounts, FigureGroup, OrderFacts, WorkFigures
from work.figures.shaping import age_of, quantile, shaped
from work.figures.span import FigurePeriod
from work.order import Verification, WorkState


def of_week(*orders: OrderFacts) -> WorkFigures:
    (found,) = shaped([WEEK], orders, [], None)
    return found


def test_figures_of_nothing_are_none_and_counts_are_0() -> None:
    found = of_week()

    assert (found.made, found.open.count, found.open.by_age["under_1d"]) == (0, 0, 0)
    times = (found.response, found.repair)
    assert [(t.median_s, t.p90_s, t.share) for t in times] == [(None, None, None)] * 2
    assert found.effectiveness.share is None


@pytest.mark.parametrize(("part", "expected"), [(0.5, 30.0), (0.9, 46.0), (0.0, 10.0), (1.0, 50.0)], ids=str)
def test_a_quantile_lies_between_two_values(part: float, expected: float) -> None:
    assert quantile([50, 10, 40, 20, 30], part) == pytest.approx(expected)


def test_an_answer_counts_when_it_came_and_a_missed_one_when_its_deadline_passed() -> None:
    found = of_week(
        order(accepted_at=at(1), response_due_at=at(2)),
        order(accepted_at=at(5), response_due_at=at(2)),
        order(response_due_at=at(24 * 8)),
        order(response_due_at=at(2)),
    ).response

    assert (found.count, found.median_s) == (2, 3 * 3600)
    assert (found.within, found.missed) == (1, 2)
    assert found.share == pytest.approx(1 / 3)


def test_a_cancelled_order_is_late_only_after_its_deadline() -> None:
    in_time = order(state=WorkState.CANCELLED, ended_at=at(1), response_due_at=at(2), repair_due_at=at(9))
    too_late = order(state=WorkState.CANCELLED, ended_at=at(5), response_due_at=at(2))
    found = of_week(in_time, too_late)

    assert (found.cancelled, found.response.missed, found.repair.missed) == (2, 1, 0)
    assert found.repair.median_s is None


def test_a_repair_counts_when_it_was_done_the_last_time() -> None:
    reopened = order(
        state=WorkState.DONE,
        ended_at=at(30),
        repair_due_at=at(24),
        reported=[at(10), at(30)],
        reopened=[at(12)],
    )
    found = of_week(reopened, order(state=WorkState.DONE, ended_at=at(10), repair_due_at=at(24)))

    assert (found.done, found.reopened) == (2, 1)
    assert (found.repair.count, found.repair.within, found.repair.missed) == (2, 1, 1)
    assert found.repair.median_s == 20 * 3600


def test_effectiveness_is_what_readings_verified_of_what_they_judged() -> None:
    verified = order(
        state=WorkState.DONE, ended_at=at(1), verification=Verification.VERIFIED, verified_at=at(20)
    )
    waiting = order(state=WorkState.DONE, ended_at=at(1), verification=Verification.WAITING)
    found = of_week(verified, verified, verified, waiting, order(reported=[at(3)], reopened=[at(4)]))

    assert (found.effectiveness.verified, found.effectiveness.waiting) == (3, 1)
    assert found.effectiveness.share == 0.75
    assert found.effectiveness.aim == 0.8


def test_open_orders_stand_by_age_at_the_end_of_the_period() -> None:
    ended_later = order(created_at=at(24 * 6.5), state=WorkState.DONE, ended_at=at(24 * 9))
    old = order(created_at=MONDAY - timedelta(days=40), repair_due_at=MONDAY, accepted_at=at(1))
    not_due = order(created_at=at(100), response_due_at=at(24 * 10))
    done = order(state=WorkState.DONE, ended_at=at(3), repair_due_at=at(1))
    found = of_week(ended_later, old, not_due, done).open

    assert (found.count, found.overdue) == (3, 1)
    assert found.by_age == {
        "under_1d": 1, "1d_to_3d": 1, "3d_to_7d": 0, "7d_to_30d": 0, "over_30d": 1,
    }  # fmt: skip


def test_an_age_is_in_one_span_alone() -> None:
    assert age_of(timedelta(days=1)) == "1d_to_3d"
    assert age_of(timedelta(days=1) - timedelta(seconds=1)) == "under_1d"


def test_groups_stand_by_name_and_what_has_none_comes_last() -> None:
    alert = AlertCounts(
        period=0, district="mina", kind="lamp", rule="dark", opened=2, resolved=1, still_open=1
    )
    orders = [order(), order(district="mina"), order(district="bab"), order(district="mina")]
    found = shaped([WEEK], orders, [alert], FigureGroup.DISTRICT)

    assert [(f.group, f.made) for f in found] == [("bab", 1), ("mina", 2), (None, 1)]
    assert found[1].alerts is not None
    assert found[1].alerts.opened == 2


def test_alerts_have_no_team() -> None:
    (found,) = shaped([WEEK], [order(team="lights")], [], FigureGroup.TEAM)

    assert (found.group, found.alerts) == ("lights", None)


def test_an_order_counts_in_the_week_of_each_thing_that_became_known() -> None:
    next_week = FigurePeriod(from_at=WEEK.until_at, until_at=WEEK.until_at + timedelta(days=7))
    one = order(accepted_at=at(24 * 8), response_due_at=at(5), state=WorkState.DONE, ended_at=at(24 * 9))
    first, second = shaped([WEEK, next_week], [one], [], None)

    assert (first.made, first.response.missed, first.response.count, first.open.overdue) == (1, 1, 0, 1)
    assert (second.made, second.response.missed, second.response.count, second.repair.count) == (0, 0, 1, 1)


NEXT = FigurePeriod(from_at=WEEK.until_at, until_at=WEEK.until_at + timedelta(days=7))


def test_a_week_in_which_a_repair_was_done_keeps_it_when_it_is_reopened_later() -> None:
    reopened = order(
        state=WorkState.DONE, ended_at=at(24 * 10), repair_due_at=at(24 * 8),
        reported=[at(24), at(24 * 10)], reopened=[at(24 * 7.5)],
    )  # fmt: skip
    first, second = shaped([WEEK, NEXT], [reopened], [], None)
    before = shaped(
        [WEEK], [order(state=WorkState.DONE, ended_at=at(24), repair_due_at=at(24 * 8))], [], None
    )

    assert (first.repair, first.open) == (before[0].repair, before[0].open)
    assert (first.repair.within, first.repair.median_s, first.open.count) == (1, 24 * 3600, 0)
    assert (second.repair.within, second.repair.missed, second.open.count) == (0, 1, 0)


def test_a_repair_that_did_not_help_counts_also_where_another_order_has_the_alert() -> None:
    verified = order(
        state=WorkState.DONE, ended_at=at(1), verification=Verification.VERIFIED, verified_at=at(9)
    )
    failed = order(state=WorkState.DONE, ended_at=at(1), verification=Verification.FAILED, failed_at=at(9))
    found = of_week(verified, failed)

    assert (found.effectiveness.share, found.effectiveness.reopened, found.reopened) == (0.5, 1, 0)


class Noted:
    """An order that notes what is read of it."""

    def __init__(self, facts: OrderFacts) -> None:
        self.facts, self.read = facts, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        self.read[name] += 1
        return getattr(self.facts, name)


def test_an_order_is_looked_at_in_its_own_weeks_and_group_alone() -> None:
    weeks = [
        FigurePeriod(from_at=MONDAY + timedelta(days=7 * n), until_at=MONDAY + timedelta(days=7 * n + 7))
        for n in range(130)
    ]
    orders = [
        Noted(order(district=f"d{n % 40}", created_at=at(n), state=WorkState.DONE, ended_at=at(n + 20)))
        for n in range(400)
    ]
    found = shaped(weeks, cast("list[OrderFacts]", orders), [], FigureGroup.DISTRICT)

    assert sum(one.made for one in found) == sum(one.repair.count for one in found) == 400
    assert max(one.read["district"] for one in orders) <= 2
    assert max(one.read["created_at"] for one in orders) < 20
