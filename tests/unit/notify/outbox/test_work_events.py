"""Whom an event of work concerns."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.transition import Severity
from notify.outbox.work_events import OUTDATES, TOLD, WorkEventFacts, receivers_of
from work.event import WorkEventType as E
from work.order import WorkState

AMAL, LIGHTS = "person:amal", "team:lights"


def event(type_: E, **more: Any) -> WorkEventFacts:
    facts: dict[str, Any] = {
        "xid": 1, "id": 1, "order": 7, "author": None, "municipality": "tripoli", "kind": "light",
        "device": "light-1", "severity": Severity.MAJOR, "state": WorkState.ASSIGNED, "given_to": None,
        "held_by": AMAL,
    }  # fmt: skip
    return WorkEventFacts(type=type_, **{**facts, **more})


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (event(E.ASSIGNED, given_to=AMAL), [AMAL]),
        (event(E.ASSIGNED, given_to=LIGHTS, held_by=LIGHTS), [LIGHTS]),
        (event(E.ASSIGNED, given_to=LIGHTS, held_by=AMAL), []),
        (event(E.REOPENED), [AMAL]),
        (event(E.REOPENED, held_by=None), ["operators"]),
        (event(E.RESPONSE_NEAR), [AMAL]),
        (event(E.RESPONSE_NEAR, held_by=None), ["operators"]),
        (event(E.RESPONSE_MISSED), [AMAL, "operators"]),
        (event(E.REPAIR_MISSED, held_by=LIGHTS), [LIGHTS, "operators"]),
        (event(E.REPAIR_MISSED, state=WorkState.DONE), []),
        (event(E.CANCELLED, state=WorkState.CANCELLED), [AMAL]),
        (event(E.CANCELLED, state=WorkState.CANCELLED, held_by=None), []),
        (event(E.ACCEPTED), []),
    ],
    ids=lambda value: value.type if isinstance(value, WorkEventFacts) else None,
)
def test_an_event_concerns_whose_the_order_is(happened: WorkEventFacts, expected: list[str]) -> None:
    assert receivers_of(happened) == expected


def test_an_ended_order_leaves_nothing_to_be_told_but_its_cancellation() -> None:
    assert set(OUTDATES[E.DONE]) == set(OUTDATES[E.CANCELLED]) == TOLD - {E.CANCELLED}
