"""What is counted, and the figures that come of it. Pure data.

Instants UTC, lengths in seconds. A figure of nothing is None, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from work.figures.span import PeriodKind
from work.order import Verification, WorkState

AIM = 0.8
"""The share of repairs that readings are to show, at least."""


class FigureGroup(StrEnum):
    """What figures are grouped by."""

    TEAM = "team"
    DISTRICT = "district"
    KIND = "kind"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFacts:
    """A work order as figures see it; team, district and rule by name, None where there is none.

    reported: each time that it was reported done; reopened: each time that its condition went on. failed_at:
    when it was seen that the condition goes on, of which another open order is.
    """

    team: str | None
    district: str | None
    kind: str
    rule: str | None
    state: WorkState
    created_at: datetime
    response_due_at: datetime | None
    repair_due_at: datetime | None
    accepted_at: datetime | None
    ended_at: datetime | None
    verification: Verification | None
    verified_at: datetime | None
    reported: Sequence[datetime] = ()
    reopened: Sequence[datetime] = ()
    failed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCounts:
    """Alerts of one period, district, kind and rule. period: its place among the periods.

    still_open: at its end.
    """

    period: int
    district: str | None
    kind: str
    rule: str
    opened: int
    resolved: int
    still_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFigures:
    """How long something took, and how often it was in time.

    count: how many were measured. within, missed: those with a deadline; share: of `within` in both.
    """

    count: int
    median_s: float | None
    p90_s: float | None
    within: int
    missed: int
    share: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFigures:
    """Orders that were open at the end of a period. overdue: one of their deadlines had passed.

    by_age: how many, by AGES; all of them, also those without any.
    """

    count: int
    overdue: int
    by_age: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivenessFigures:
    """Whether repairs helped. share: of `verified` in verified and reopened; aim: what it is to be at least.

    reopened: those that did not help, also where the order stayed done since another one is about it.
    waiting: done in the period, and readings have not shown yet whether it helped.
    """

    verified: int
    reopened: int
    waiting: int
    share: float | None
    aim: float = AIM


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFigures:
    """Alerts of a period. still_open: at its end."""

    opened: int
    resolved: int
    still_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFigures:
    """The figures of one group in one period.

    group: None where nothing is grouped, or of what has no team, district or rule. done: each time that an
    order was reported done. alerts: None where they are grouped by team, which alerts do not have.
    """

    group: str | None
    from_at: datetime
    until_at: datetime
    made: int
    done: int
    cancelled: int
    reopened: int
    response: TimeFigures
    repair: TimeFigures
    open: OpenFigures
    effectiveness: EffectivenessFigures
    alerts: AlertFigures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MunicipalityFigures:
    """The figures of a municipality, by period, then by group; a group of which nothing is known is left out.

    until_at: not included; the present where a later one was asked for.
    """

    municipality: str
    time_zone: str
    from_at: datetime
    until_at: datetime
    by: FigureGroup | None
    per: PeriodKind | None
    figures: Sequence[WorkFigures]
