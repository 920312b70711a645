"""How one person is told: own steps, the default ones, quiet hours; and who the receivers of a route are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.time_zones import zone_named
from notify.facts import AlertFacts
from notify.routing.local_clock import LocalCalendar, LocalSpan
from notify.routing.receiver import QuietHours, Receiver
from notify.routing.rotation import OnCallLayer, OnCallRota
from notify.routing.route import Route
from notify.routing.routing import Routing
from people.identity import of_texts

NOON = to_microseconds(datetime.fromisoformat("2026-01-14T12:00+02:00"))
NIGHT = to_microseconds(datetime.fromisoformat("2026-01-14T23:00+02:00"))
NIGHTS = QuietHours(span=LocalSpan(start_min=22 * 60, end_min=6 * 60), below=Severity.MAJOR)


def receiver(number: int = 1, *roles: str, **more: Any) -> Receiver:
    said = {
        "addresses": {"email": ("a@example.org",)},
        "name": f"p{number}",
        "display_name": "",
        "language": "ar",
    }
    return Receiver(**{**said, "id": number, "time_zone": "Asia/Beirut", "grants": of_texts(roles), **more})


def told(found: Receiver, severity: Severity = Severity.MAJOR, at: int = NOON) -> list[tuple[str, float]]:
    return [(c.channel, c.after_s) for c in found.contacts(severity, at)]


def test_without_own_steps_all_is_used_at_once_and_sms_after_five_minutes() -> None:
    addresses = {"email": ("a@example.org",), "sms": ("+9613123456",), "ntfy": ("amal",)}

    assert told(receiver(addresses=addresses)) == [("email", 0), ("ntfy", 0), ("sms", 300)]
    assert told(receiver(addresses={"sms": ("+9613123456",)})) == [("sms", 0)], "there is no other way"
    assert told(receiver(addresses={})) == []


def test_own_steps_count_and_those_without_an_address_any_more_do_not() -> None:
    amal = receiver(
        addresses={"ntfy": ("amal",), "sms": ("+9613123456",), "push": ("one", "two")},
        steps=(("sms", 900.0), ("push", 60.0), ("ntfy", 0.0), ("email", 0.0)),
    )

    assert told(amal) == [("ntfy", 0), ("push", 60), ("push", 60), ("sms", 900)]
    assert told(receiver(steps=(("ntfy", 60.0),))) == [("email", 0)], "no step is left: the default"


def test_in_quiet_hours_what_is_less_severe_waits_until_morning() -> None:
    amal = receiver(addresses={"email": ("a@example.org",), "sms": ("+9613123456",)}, quiet_hours=(NIGHTS,))

    assert told(amal, Severity.MINOR, NIGHT) == [("email", 7 * 3600), ("sms", 7 * 3600 + 300)]
    assert told(amal, Severity.MAJOR, NIGHT) == [("email", 0), ("sms", 300)]
    assert told(amal, Severity.MINOR, NOON) == [("email", 0), ("sms", 300)]


def routing(*receivers: Receiver) -> Routing:
    tripoli = LocalCalendar(zone=zone_named("Asia/Beirut"))
    nights = OnCallLayer(
        people=(3, 2), start=datetime.fromisoformat("2026-01-12").date(), turn_days=7, handover_min=480
    )
    return Routing(
        generation="1",
        routes=Route(name="default"),
        receivers={r.id: r for r in receivers},
        teams={"lights": (2, 1, 9)},
        schedules={"night": OnCallRota(calendar=tripoli, layers=(nights,))},
        calendars={"tripoli": tripoli},
    )


def test_receivers_are_people_and_each_is_told_once() -> None:
    several = routing(*(receiver(number, "viewer") for number in (1, 2, 3)))
    facts = AlertFacts(municipality="tripoli", kind="bin", severity=Severity.MAJOR, rule="r", device="d")

    assert several.people(["person:p2", "team:lights", "on-call:night"], facts, NOON) == (2, 1, 3)
    assert several.people(["person:gone", "team:gone", "on-call:gone", "nobody"], facts, NOON) == ()
    two = routing(receiver(1, "viewer"), receiver(2, "viewer"))
    assert two.people(["on-call:night"], facts, NOON) == (2,), "3 is disabled"
    assert several.contacts(9, Severity.MAJOR, NOON) == ()


def test_who_has_no_role_in_the_town_any_more_is_not_told() -> None:
    left = routing(receiver(1, "operator@nablus"), receiver(2, "technician@tripoli"), receiver(3))
    facts = AlertFacts(municipality="tripoli", kind="bin", severity=Severity.MAJOR, rule="r", device="d")

    assert left.people(["person:p1", "team:lights", "person:p3"], facts, NOON) == (2,)
    assert left.people(["on-call:night"], facts, NOON) == (2,), "the next in turn stands in"


def test_operators_are_those_of_the_town_and_where_none_can_be_told_its_administrators() -> None:
    facts = AlertFacts(municipality="tripoli", kind="bin", severity=Severity.MAJOR, rule="r", device="d")
    people = [
        receiver(1, "operator@tripoli"),
        receiver(2, "operator"),
        receiver(3, "operator@nablus"),
        receiver(4, "admin"),
        receiver(5, "operator@tripoli", addresses={}),
        receiver(6, "technician@tripoli"),
    ]

    assert routing(*people).people(["operators"], facts, NOON) == (1, 2)
    assert routing(*people).people(["admins", "technicians"], facts, NOON) == (4, 6)
    assert routing(*people[2:]).people(["operators"], facts, NOON) == (4,)
    assert routing(*people[2:3]).people(["operators", "admins"], facts, NOON) == ()


def test_who_has_addresses_of_channels_that_are_not_set_up_only_cannot_be_told() -> None:
    facts = AlertFacts(municipality="tripoli", kind="bin", severity=Severity.MAJOR, rule="r", device="d")
    operator = receiver(1, "operator@tripoli", addresses={"push": ("https://push",)})
    admin = receiver(2, "admin", addresses={"ntfy": ("topic",), "push": ("https://push",)})
    usable = routing(*(one.reached_by({"ntfy"}) for one in (operator, admin)))

    assert usable.people(["operators"], facts, NOON) == (2,)
    assert [c.channel for c in usable.contacts(2, Severity.MAJOR, NOON)] == ["ntfy"]
