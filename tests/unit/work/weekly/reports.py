"""A report of a week in Tripoli, made by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from devices.registry.registry import Municipality
from tests.unit.work.figures.builders import WEEK, at, order
from work.figures.facts import AlertCounts, FigureGroup, OrderFacts
from work.figures.shaping import shaped
from work.figures.span import FigurePeriod
from work.order import Verification, WorkState
from work.weekly.reading import FailingDevice, OpenWork, WeekReport

TRIPOLI = Municipality(
    id=1,
    name="tripoli",
    title={"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"},
    time_zone="Asia/Beirut",
    locale="ar-LB",
    weekend=(6, 7),
    lat=34.4,
    lon=35.8,
    register_unknown=True,
)
MINA = {"en": "El Mina", "fr": "El-Mina", "ar": "الميناء"}
CORNICHE = {"fr": "Corniche nord 12", "ar": "الكورنيش 12"}
DARK = {"en": "The lamp is dark", "fr": "La lampe est éteinte", "ar": "المصباح مطفأ"}


def done(after_h: float, due_h: float, **more: Any) -> OrderFacts:
    """Return an order that was done so many hours after it was made."""
    facts = {
        "state": WorkState.DONE, "accepted_at": at(after_h / 4), "response_due_at": at(due_h / 4),
        "repair_due_at": at(due_h), "ended_at": at(after_h), "reported": [at(after_h)],
        "verification": Verification.VERIFIED, "verified_at": at(after_h + 10), "district": "mina",
        "team": "lights",
    }  # fmt: skip
    return order(**{**facts, **more})


def report(*, orders: list[OrderFacts] | None = None, named: bool = True, **more: Any) -> WeekReport:
    """Return the report of a week of these orders, or of a usual one."""
    if orders is None:
        orders = [
            done(4, 8), done(30, 48), done(60, 48), done(5, 24, verified_at=None, verification=None),
            order(reported=[at(3)], reopened=[at(20)], district="mina", team="lights"),
            order(repair_due_at=at(50), created_at=at(-900)), order(created_at=at(150)),
            order(district="bab"),
        ]  # fmt: skip
    before = FigurePeriod(from_at=WEEK.from_at - timedelta(days=7), until_at=WEEK.from_at)
    counted = [
        AlertCounts(period=1, district="mina", kind="light", rule="dark", opened=12, resolved=9, still_open=4)
    ]
    former, this = shaped([before, WEEK], orders, counted, None)
    facts: dict[str, Any] = {
        "town": TRIPOLI,
        "monday": date(2026, 11, 23),
        "until_at": WEEK.until_at,
        "week": this,
        "before": former,
        "districts": shaped([WEEK], orders, [], FigureGroup.DISTRICT),
        "teams": shaped([WEEK], orders, [], FigureGroup.TEAM) if named else None,
        "titles": {
            "district mina": MINA,
            "district bab": {"en": "Bab al-Tabbaneh", "fr": "Bab el-Tebbaneh", "ar": "باب التبانة"},
            "team lights": {"en": "Lights", "fr": "Éclairage", "ar": "الإنارة"},
        },
        "open": [
            open_work(id=1041, due_at=at(50), overdue=True, assignee="Amal Haddad"),
            open_work(id=1187, team="lights", title="Replace the lid: it does not close", due_at=at(190)),
            open_work(id=1190),
        ],
        "repeated": [
            FailingDevice(
                device="light-0412",
                device_title="Corniche 12",
                device_titles=CORNICHE,
                district=MINA,
                orders=4,
            )
        ],
        "now": at(200),
    }
    return WeekReport(**{**facts, **more})


def open_work(**more: Any) -> OpenWork:
    """Return an open order of a lamp."""
    facts: dict[str, Any] = {
        "id": 7, "device": "light-0412", "device_title": "Corniche 12", "device_titles": CORNICHE,
        "district": MINA, "title": "", "said": DARK,
        "assignee": None, "team": None, "due_at": None, "overdue": False,
    }  # fmt: skip
    return OpenWork(**{**facts, **more})
