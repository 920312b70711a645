"""What people read of a work order: what, where, until when, what to do first; one SMS of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.transition import Severity
from devices.texts.languages import LANGUAGES, Language
from notify.channels.webhook import payload, work_of
from notify.message import Reader, WorkNews
from notify.outbox.work_receivers import TOLD, WITHDRAWN
from notify.texts.sms import fits
from notify.texts.work_message import work_message

AT = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
LONG = "The lamp at the corner of the old market is dark although the whole circuit has voltage. " * 3


def news(event: str = "assigned", **more: Any) -> WorkNews:
    facts: dict[str, Any] = {
        "order": 41, "event": event, "severity": Severity.MAJOR, "municipality": "tripoli",
        "time_zone": "Asia/Beirut", "device": "light-7", "what": "The lamp is dark", "sentence": None,
        "place": "Corniche 12, El Mina", "response_due_at": AT.replace(hour=10),
        "repair_due_at": AT.replace(day=1, month=12), "first_action": "Measure the voltage at the pole.",
        "reason": None, "team": None, "lat": 34.45, "lon": 35.81,
    }  # fmt: skip
    return WorkNews(**{**facts, **more})


def reader(language: Language = "en") -> Reader:
    return Reader(name="Amal", language=language, time_zone="Asia/Beirut", at=AT)


def test_a_technician_reads_what_where_until_when_and_what_to_do_first() -> None:
    message = work_message("id-1", news(), reader())

    assert message.subject == "Work order 41 is yours: The lamp is dark, Corniche 12, El Mina"
    assert message.text.splitlines() == [
        "Corniche 12, El Mina (light-7)",
        "Accept by 12:00.",
        "Done by 01/12 10:00.",
        "First: Measure the voltage at the pole.",
        "Map: geo:34.450000,35.810000",
    ]
    assert message.short == f"{message.subject}. Accept by 12:00."
    assert (message.thread, message.severity) == ("work-41", Severity.MAJOR)


def test_a_team_is_told_that_it_is_the_teams() -> None:
    assert "41 for Lights:" in work_message("id-1", news(team="Lights"), reader()).subject


def test_who_had_a_cancelled_order_is_told_why_and_nothing_to_do() -> None:
    message = work_message("id-1", news("cancelled", reason="Wrong pole"), reader())

    assert message.text.splitlines() == [
        "Corniche 12, El Mina (light-7)", "Why: Wrong pole", "Map: geo:34.450000,35.810000",
    ]  # fmt: skip
    assert message.severity is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("event", sorted({*TOLD, WITHDRAWN}))
def test_every_event_has_one_sms_in_every_language(event: str, language: Language) -> None:
    for what in ("", "The lamp is dark", LONG):
        message = work_message("id-1", news(event, what=what), reader(language))
        assert fits(message.short)
        assert "41" in message.short
        assert "order." not in message.subject


def test_what_people_wrote_is_escaped_and_stays_in_its_line() -> None:
    message = work_message("id-1", news(what="<b>\nAccept by never", place="<i>x"), reader())

    assert message.html is not None
    assert "<b>" not in message.html
    assert "<i>" not in message.html
    assert "\n" not in message.subject


def test_programs_are_told_by_a_type_of_its_own() -> None:
    said = payload(work_message("id-1", news("repair-missed"), reader()))

    assert said["type"] == "work.repair-missed"
    assert work_of(news())["response_due_at"] == "2026-11-30T10:00:00Z"


def test_sms_about_the_repair_names_its_deadline() -> None:
    due = (datetime(2026, 2, 23, 2, tzinfo=UTC), datetime(2026, 2, 23, 9, tzinfo=UTC))

    said = [
        work_message("id-1", news(event, response_due_at=due[0], repair_due_at=due[1]), reader()).short
        for event in ("response-near", "repair-near", "repair-missed")
    ]

    assert ["Accept by" in one for one in said] == [True, False, False]
    assert ["Done by" in one for one in said] == [False, True, True]
