"""Alerts that are told, and who reads of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from alerts.transition import Severity
from devices.texts.languages import Language
from notify.message import AlertNews, NotificationMessage, Occasion, Reader

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

NEWS = AlertNews(
    alert=7,
    occasion=Occasion.OPENED,
    severity=Severity.CRITICAL,
    municipality="tripoli",
    device="bin-17",
    rule="bin-overflow",
    sentence="Bin bin-17 is 97 % full",
    place="Nejmeh Square",
    since=NOON,
    first_action="Empty it on this round",
    lat=34.4367,
    lon=35.8497,
)


def make_news(**changes: Any) -> AlertNews:
    """Return what is told of a full bin, opened at NOON."""
    return replace(NEWS, **changes)


def make_reader(language: Language = "en", **changes: Any) -> Reader:
    """Return a reader in Beirut (UTC+3 in June) at NOON."""
    values: dict[str, Any] = {"name": "Amal", "time_zone": "Asia/Beirut", "at": NOON}
    return Reader(language=language, **{**values, **changes})


def make_message(**changes: Any) -> NotificationMessage:
    """Return a message about a full bin that can be answered."""
    message = NotificationMessage(
        id="delivery-1",
        thread="alert-7",
        occasion=Occasion.OPENED,
        severity=Severity.CRITICAL,
        language="en",
        subject="Critical: Bin bin-17 is 97 % full, Nejmeh Square",
        text="Bin bin-17 is 97 % full\nSince 15:00.",
        short="Critical: Bin bin-17 is 97 % full, Nejmeh Square. Reply K7QP to acknowledge.",
        url="https://nabd.example.org/answer/abc",
        answer_code="K7QP",
        alerts=(7,),
        news=(NEWS,),
        html="<p>Bin bin-17 is 97 % full</p>",
    )
    return replace(message, **changes)
