"""Figures as rows of one table, for CSV and terminals. Pure."""

from __future__ import annotations

from typing import Any

from devices.instants import rfc3339
from devices.time_zones import zone_named
from work.figures.facts import MunicipalityFigures, WorkFigures
from work.figures.shaping import AGES
from work.figures.span import period_name

COLUMNS = (
    "municipality", "by", "group", "from", "until", "made", "done", "cancelled", "reopened",
    "response_count", "response_median_s", "response_p90_s", "response_within", "response_missed",
    "response_share", "repair_count", "repair_median_s", "repair_p90_s", "repair_within", "repair_missed",
    "repair_share", "open", "overdue", *(f"open_{age}" for age in AGES), "verified", "verification_waiting",
    "effectiveness", "effectiveness_aim", "alerts_opened", "alerts_resolved", "alerts_still_open",
    "period",
)  # fmt: skip


def flat(found: MunicipalityFigures) -> list[dict[str, Any]]:
    """Return one row for each group and period; a figure of nothing is None.

    from, until: UTC. period: such as 2026-W48 or 2026-11 of the local clock, None where nothing is cut.
    """
    zone = zone_named(found.time_zone)
    return [
        {
            "municipality": found.municipality,
            "by": found.by and found.by.value,
            **_row(one),
            "period": found.per and period_name(one.from_at, found.per, zone),
        }
        for one in found.figures
    ]


def _row(one: WorkFigures) -> dict[str, Any]:
    times = {
        f"{name}_{member}": getattr(figures, member)
        for name, figures in (("response", one.response), ("repair", one.repair))
        for member in ("count", "median_s", "p90_s", "within", "missed", "share")
    }
    alerts = {
        f"alerts_{name}": None if one.alerts is None else getattr(one.alerts, name)
        for name in ("opened", "resolved", "still_open")
    }
    return {
        "group": one.group,
        "from": rfc3339(one.from_at),
        "until": rfc3339(one.until_at),
        **{name: getattr(one, name) for name in ("made", "done", "cancelled", "reopened")},
        **times,
        "open": one.open.count,
        "overdue": one.open.overdue,
        **{f"open_{age}": count for age, count in one.open.by_age.items()},
        "verified": one.effectiveness.verified,
        "verification_waiting": one.effectiveness.waiting,
        "effectiveness": one.effectiveness.share,
        "effectiveness_aim": one.effectiveness.aim,
        **alerts,
    }
