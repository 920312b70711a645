"""What a step adds to what is on its way already."""

from __future__ import annotations

from typing import Any

import pytest

from notify.facts import Contact
from notify.outbox.batch import untried
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
    ],
    ids=["later than now is told", "delivered", "given up", "another address"],
)
def test_what_says_nothing_in_time_does_not_replace_a_message(there: DeliveryOfAlert, after_s: float) -> None:
    assert untried([contact(after_s)], [there], NOW) == [contact(after_s)]
