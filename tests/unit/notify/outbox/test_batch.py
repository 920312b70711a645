"""What a step adds to what is on its way already, and who hears that an alert is over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from notify.facts import Contact, NotificationPlan
from notify.outbox.batch import ends_told, look_again_at, to_hear_the_end, untried
from notify.outbox.deliveries import DeliveryOfAlert

NOW = 1_800_000_000_000_000
S = 1_000_000


def said(due_s: float, **changes: Any) -> DeliveryOfAlert:
    """Return a message to Amal's ntfy topic that is planned for so many seconds from now."""
    values: dict[str, Any] = {
        "person_id": 1,
        "channel": "ntfy",
        "address": "amal",
        "occasion": "opened",
        "state": "planned",
        "told": False,
        "uncertain": False,
        "due_at": NOW + round(due_s * S),
        "attempts": 0,
    }
    return DeliveryOfAlert(**{**values, **changes})


def contact(after_s: float = 0.0) -> Contact:
    """Return Amal's ntfy topic."""
    return Contact(person_id=1, channel="ntfy", address="amal", after_s=after_s)


@pytest.mark.parametrize(
    ("there", "after_s"),
    [
        (said(-1), 0.0),
        (said(0, state="sending", attempts=1), 0.0),
        (said(3600), 3600.0),
        (said(600, attempts=3), 0.0),
    ],
    ids=["due", "sending", "quiet hours", "to be tried again"],
)
def test_what_is_on_its_way_to_an_address_is_not_said_again(there: DeliveryOfAlert, after_s: float) -> None:
    assert untried([contact(after_s)], [there], NOW) == []


@pytest.mark.parametrize(
    ("there", "after_s"),
    [
        (said(3600), 0.0),
        (said(-1, state="delivered"), 0.0),
        (said(-1, state="given-up", attempts=9), 0.0),
        (said(-1, address="beirut"), 0.0),
        (said(-1, told=True, attempts=1), 0.0),
    ],
    ids=["later than now is told", "delivered", "given up", "another address", "no longer about the alert"],
)
def test_what_says_nothing_in_time_does_not_replace_a_message(there: DeliveryOfAlert, after_s: float) -> None:
    assert untried([contact(after_s)], [there], NOW) == [contact(after_s)]


TOLD = {"state": "delivered", "told": True}
DOUBTFUL = {"uncertain": True, "attempts": 1, "address": "chief", "person_id": 2}


def test_who_was_told_hears_the_end_though_it_is_not_known_who_else_was() -> None:
    there = [said(-60, **TOLD), said(600, **DOUBTFUL)]

    assert to_hear_the_end(there) == {1: [contact()]}
    assert look_again_at(there, NOW) == NOW + round(5.25 * S)

    over = said(0, occasion="resolved")
    assert to_hear_the_end([*there, over]) == {}, "once"
    arrived = said(600, **{**DOUBTFUL, **TOLD, "uncertain": False})
    assert list(to_hear_the_end([there[0], over, arrived])) == [2]
    assert look_again_at([there[0], over, arrived], NOW) is None


def test_a_message_that_is_just_being_sent_is_looked_at_soon_and_an_end_is_not_waited_for() -> None:
    sending = said(-1, state="sending", uncertain=True, attempts=1)

    assert look_again_at([said(600, **DOUBTFUL), sending], NOW) == NOW + round(0.25 * S)
    assert look_again_at([said(-1, state="sending", uncertain=True, occasion="resolved")], NOW) is None


def test_who_was_told_hears_the_end_after_the_reminder_that_is_on_its_way_to_them() -> None:
    assert to_hear_the_end([said(-60, **TOLD), said(-1, state="sending", uncertain=True)]) == {}


def test_what_is_retained_ends_also_where_the_route_tells_no_ends() -> None:
    kept = contact()
    there = [said(-60, **TOLD), said(-60, **TOLD, channel="mqtt", address="city")]
    plan = NotificationPlan(route="quiet", steps=(), repeat_s=None, group_for_s=0.0, resolved=False)

    assert ends_told(plan, there) == [[replace(kept, channel="mqtt", address="city")]]
    assert [len(contacts) for contacts in ends_told(replace(plan, resolved=True), there)] == [2]
