"""Counts orders and alerts by period and group. Pure.

Everything counts in the period in which it became known: an answer when somebody accepted, or when the
deadline passed without it; a repair when it was done, or when its deadline passed. An order that is reopened
later was done until then. Reading a span again later gives the same, but for what is reported late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import floor

from work.figures.facts import (
    AlertCounts,
    AlertFigures,
    EffectivenessFigures,
    FigureGroup,
    OpenFigures,
    OrderFacts,
    TimeFigures,
    WorkFigures,
)
from work.figures.span import FigurePeriod
from work.order import Verification, WorkState

AGES = {"under_1d": 1, "1d_to_3d": 3, "3d_to_7d": 7, "7d_to_30d": 30, "over_30d": None}
"""How long orders have been open: days, not included; None: any."""


def shaped(
    periods: Sequence[FigurePeriod],
    orders: Sequence[OrderFacts],
    alerts: Sequence[AlertCounts],
    by: FigureGroup | None,
) -> list[WorkFigures]:
    """Return figures by period, then by group; where nothing is grouped one row a period.

    Args:
        periods: in order, none within another.
    """
    concerned = _by_period_and_group(periods, orders, by)
    counted: dict[tuple[int, str | None], list[AlertCounts]] = defaultdict(list)
    for one in () if by is FigureGroup.TEAM else alerts:
        counted[one.period, _group(one, by)].append(one)
    names: dict[int, set[str | None]] = defaultdict(set)
    for number, name in (*concerned, *counted):
        names[number].add(name)
    return [
        _figures(
            name,
            period,
            concerned.get((number, name), ()),
            None if by is FigureGroup.TEAM else counted.get((number, name), ()),
        )
        for number, period in enumerate(periods)
        for name in sorted(names[number] if by else {None}, key=lambda one: (one is None, one or ""))
    ]


def _by_period_and_group(
    periods: Sequence[FigurePeriod], orders: Sequence[OrderFacts], by: FigureGroup | None
) -> Mapping[tuple[int, str | None], Sequence[OrderFacts]]:
    """Return the orders that each period and group has to do with: each order is looked at once."""
    begins, ends = [p.from_at for p in periods], [p.until_at for p in periods]
    found: dict[tuple[int, str | None], list[OrderFacts]] = defaultdict(list)
    for order in orders:
        places = {bisect_right(begins, instant) - 1 for instant in _instants(order)}
        places = {n for n in places if n >= 0 and ends[n] > begins[n]}
        for began, ended in _spans_open(order):
            last = len(ends) if ended is None else bisect_right(ends, ended)
            places.update(range(bisect_right(ends, began), last))
        for number in places:
            found[number, _group(order, by)].append(order)
    return found


def _group(one: OrderFacts | AlertCounts, by: FigureGroup | None) -> str | None:
    found: str | None = getattr(one, by) if by else None
    return found


def _instants(order: OrderFacts) -> list[datetime]:
    known = (
        order.created_at, order.accepted_at, order.ended_at, order.verified_at, order.failed_at,
        *order.reported, *order.reopened, _response_missed_at(order), _repair_missed_at(order),
    )  # fmt: skip
    return [instant for instant in known if instant is not None]


def _ends(order: OrderFacts) -> list[datetime]:
    """Return each time that it was done or cancelled."""
    return sorted({*order.reported, *([order.ended_at] if order.ended_at else [])})


def _spans_open(order: OrderFacts) -> list[tuple[datetime, datetime | None]]:
    """Return from when until when it was open; None: it still is."""
    begins, ends = [order.created_at, *order.reopened], _ends(order)
    return [(began, ends[n] if n < len(ends) else None) for n, began in enumerate(begins)]


def _response_missed_at(order: OrderFacts) -> datetime | None:
    # An order that was cancelled before its deadline was never late.
    return missed_at(order.response_due_at, order.accepted_at or next(iter(_ends(order)), None))


def _repair_missed_at(order: OrderFacts) -> datetime | None:
    due = order.repair_due_at
    spans = _spans_open(order) if due else []
    missed = any(began <= due and (ended is None or ended > due) for began, ended in spans if due)
    return due if missed else None


def missed_at(due_at: datetime | None, done_at: datetime | None) -> datetime | None:
    """Return when a deadline was missed; None where there is none, or it was kept."""
    return due_at if due_at is not None and (done_at is None or done_at > due_at) else None


def _figures(
    group: str | None,
    period: FigurePeriod,
    orders: Sequence[OrderFacts],
    alerts: Sequence[AlertCounts] | None,
) -> WorkFigures:
    cancelled = [o for o in orders if o.state is WorkState.CANCELLED and period.holds(o.ended_at)]
    reopened = _count(period, (at for o in orders for at in o.reopened))
    failed = _count(period, (o.failed_at for o in orders))
    return WorkFigures(
        group=group,
        from_at=period.from_at,
        until_at=period.until_at,
        made=_count(period, (o.created_at for o in orders)),
        done=_count(period, (at for o in orders for at in o.reported)),
        cancelled=len(cancelled),
        reopened=reopened,
        response=_response(period, orders),
        repair=_repair(period, orders),
        open=_open(period, orders),
        effectiveness=_effectiveness(period, orders, reopened + failed),
        alerts=None if alerts is None else _alerts(alerts),
    )


def _count(period: FigurePeriod, instants: Iterable[datetime | None]) -> int:
    return sum(map(period.holds, instants))


def _response(period: FigurePeriod, orders: Sequence[OrderFacts]) -> TimeFigures:
    took = [
        (o.accepted_at - o.created_at).total_seconds()
        for o in orders
        if o.accepted_at is not None and period.holds(o.accepted_at)
    ]
    in_time = [
        o.accepted_at
        for o in orders
        if o.response_due_at and o.accepted_at and o.accepted_at <= o.response_due_at
    ]
    late = map(_response_missed_at, orders)
    return _times(took, _count(period, in_time), _count(period, late))


def _repair(period: FigurePeriod, orders: Sequence[OrderFacts]) -> TimeFigures:
    done = [(o, at) for o in orders if (at := _repaired_at(o, period.until_at)) and period.holds(at)]
    took = [(at - o.created_at).total_seconds() for o, at in done]
    in_time = [at for o, at in done if o.repair_due_at and at <= o.repair_due_at]
    return _times(took, len(in_time), _count(period, map(_repair_missed_at, orders)))


def _repaired_at(order: OrderFacts, at: datetime) -> datetime | None:
    """Return when an order that is done at an instant was reported done the last time before it."""
    if _open_at(order, at):
        return None
    cancelled_at = order.ended_at if order.state is WorkState.CANCELLED else None
    before = [end for end in _ends(order) if end < at]
    return before[-1] if before and before[-1] != cancelled_at else None


def _times(took: Sequence[float], within: int, missed: int) -> TimeFigures:
    return TimeFigures(
        count=len(took),
        median_s=quantile(took, 0.5),
        p90_s=quantile(took, 0.9),
        within=within,
        missed=missed,
        share=share(within, missed),
    )


def share(good: int, bad: int) -> float | None:
    """Return the part of the good in all, None where there are none."""
    return good / (good + bad) if good + bad else None


def quantile(values: Sequence[float], part: float) -> float | None:
    """Return what that part of the values lies below, between two of them where need be; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _open_at(order: OrderFacts, at: datetime) -> bool:
    return any(began < at and (ended is None or ended >= at) for began, ended in _spans_open(order))


def _open(period: FigurePeriod, orders: Sequence[OrderFacts]) -> OpenFigures:
    at = period.until_at
    left = [order for order in orders if _open_at(order, at)]
    by_age = dict.fromkeys(AGES, 0)
    for order in left:
        by_age[age_of(at - order.created_at)] += 1
    return OpenFigures(count=len(left), overdue=sum(overdue_at(o, at) for o in left), by_age=by_age)


def age_of(age: timedelta) -> str:
    """Return the one of AGES in which an order is that has been open so long."""
    return next(name for name, days in AGES.items() if days is None or age < timedelta(days=days))


def overdue_at(order: OrderFacts, at: datetime) -> bool:
    """Tell whether a deadline of an open order has passed."""
    unanswered = order.accepted_at is None or order.accepted_at >= at
    answer_due = order.response_due_at if unanswered else None
    return any(due is not None and due <= at for due in (answer_due, order.repair_due_at))


def _effectiveness(period: FigurePeriod, orders: Sequence[OrderFacts], failed: int) -> EffectivenessFigures:
    verified = [o.verified_at for o in orders if o.verification is Verification.VERIFIED]
    waiting = [o.ended_at for o in orders if o.verification is Verification.WAITING]
    helped = _count(period, verified)
    return EffectivenessFigures(
        verified=helped,
        reopened=failed,
        waiting=_count(period, waiting),
        share=share(helped, failed),
    )


def _alerts(alerts: Sequence[AlertCounts]) -> AlertFigures:
    return AlertFigures(
        opened=sum(a.opened for a in alerts),
        resolved=sum(a.resolved for a in alerts),
        still_open=sum(a.still_open for a in alerts),
    )
