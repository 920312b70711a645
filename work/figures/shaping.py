"""Counts orders and alerts by period and group. Pure.

Everything counts in the period in which it became known: an answer when somebody accepted, or when the
deadline passed without it; a repair when it was done, or when its deadline passed. Reading a span again later
gives the same, but for what is reported late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """Return figures by period, then by group; where nothing is grouped one row a period."""
    found: list[WorkFigures] = []
    for number, period in enumerate(periods):
        counted = [] if by is FigureGroup.TEAM else [a for a in alerts if a.period == number]
        concerned = [order for order in orders if _concerns(order, period)]
        both: list[OrderFacts | AlertCounts] = [*concerned, *counted]
        names = {_group(one, by) for one in both} if by else {None}
        for name in sorted(names, key=lambda one: (one is None, one or "")):
            mine = [one for one in concerned if _group(one, by) == name]
            of_group = [a for a in counted if _group(a, by) == name]
            found.append(_figures(name, period, mine, None if by is FigureGroup.TEAM else of_group))
    return found


def _group(one: OrderFacts | AlertCounts, by: FigureGroup | None) -> str | None:
    found: str | None = getattr(one, by) if by else None
    return found


def _concerns(order: OrderFacts, period: FigurePeriod) -> bool:
    instants = (
        order.created_at, order.accepted_at, order.ended_at, order.verified_at,
        *order.reported, *order.reopened,
        missed_at(order.response_due_at, order.accepted_at or order.ended_at),
        missed_at(order.repair_due_at, order.ended_at),
    )  # fmt: skip
    return any(map(period.holds, instants)) or _open_at(order, period.until_at)


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
        effectiveness=_effectiveness(period, orders, reopened),
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
    # An order that was cancelled before its deadline was never late.
    late = [missed_at(o.response_due_at, o.accepted_at or o.ended_at) for o in orders]
    return _times(took, _count(period, in_time), _count(period, late))


def _repair(period: FigurePeriod, orders: Sequence[OrderFacts]) -> TimeFigures:
    done = [(o, o.ended_at) for o in orders if o.state is WorkState.DONE and o.ended_at is not None]
    took = [(ended - o.created_at).total_seconds() for o, ended in done if period.holds(ended)]
    in_time = [ended for o, ended in done if o.repair_due_at and ended <= o.repair_due_at]
    late = [missed_at(o.repair_due_at, o.ended_at) for o in orders]
    return _times(took, _count(period, in_time), _count(period, late))


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
    return order.created_at < at and (order.ended_at is None or order.ended_at >= at)


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


def _effectiveness(period: FigurePeriod, orders: Sequence[OrderFacts], reopened: int) -> EffectivenessFigures:
    verified = [o.verified_at for o in orders if o.verification is Verification.VERIFIED]
    waiting = [o.ended_at for o in orders if o.verification is Verification.WAITING]
    helped = _count(period, verified)
    return EffectivenessFigures(
        verified=helped,
        reopened=reopened,
        waiting=_count(period, waiting),
        share=share(helped, reopened),
    )


def _alerts(alerts: Sequence[AlertCounts]) -> AlertFigures:
    return AlertFigures(
        opened=sum(a.opened for a in alerts),
        resolved=sum(a.resolved for a in alerts),
        still_open=sum(a.still_open for a in alerts),
    )
