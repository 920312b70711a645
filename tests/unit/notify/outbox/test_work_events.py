"""Whom an event of work concerns."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.transition import Severity
from notify.outbox.work_receivers import (
    OUTDATES,
    TOLD,
    OrderStanding,
    WorkEventFacts,
    is_over,
    tellings_of,
)
from work.event import WorkEventType as E
from work.order import WorkState

AMAL, OMAR, LIGHTS = "person:amal", "person:omar", "team:lights"


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
        (event(E.DECLINED, held_by=None, state=WorkState.OPEN), ["operators"]),
        (event(E.DECLINED, held_by=LIGHTS), [LIGHTS]),
        (event(E.DECLINED, held_by=AMAL), []),
        (event(E.UNASSIGNED, held_by=None, state=WorkState.OPEN), ["operators"]),
        (event(E.CANCELLED, state=WorkState.CANCELLED), [AMAL]),
        (event(E.CANCELLED, state=WorkState.CANCELLED, held_by=None), []),
        (event(E.ACCEPTED), []),
    ],
    ids=lambda value: value.type if isinstance(value, WorkEventFacts) else None,
)
def test_an_event_concerns_whose_the_order_is(happened: WorkEventFacts, expected: list[str]) -> None:
    assert [one.receiver for one in tellings_of(happened)] == expected


@pytest.mark.parametrize("state", [WorkState.ASSIGNED, WorkState.DONE], ids=str)
def test_whom_an_order_is_taken_from_hears_it_while_they_drive(state: WorkState) -> None:
    given = event(E.ASSIGNED, given_to=OMAR, held_by=OMAR, former=AMAL, state=state)
    taken = event(E.UNASSIGNED, held_by=None, former=AMAL, state=WorkState.OPEN)

    assert (tellings_of(given)[0].event, tellings_of(given)[0].receiver) == ("withdrawn", AMAL)
    assert [(one.event, one.receiver) for one in tellings_of(taken)] == [
        ("withdrawn", AMAL), ("unassigned", "operators"),
    ]  # fmt: skip
    assert tellings_of(event(E.ASSIGNED, given_to=AMAL, former=AMAL))[0].event == "assigned"


def test_an_ended_order_leaves_nothing_to_be_told_but_its_cancellation() -> None:
    assert set(OUTDATES[E.DONE]) == set(OUTDATES[E.CANCELLED]) == TOLD - {E.CANCELLED}


def test_after_a_night_a_missed_deadline_stands_for_what_came_before_it() -> None:
    assert {E.ASSIGNED, E.RESPONSE_NEAR} <= set(OUTDATES[E.RESPONSE_MISSED])
    assert {E.ASSIGNED, E.RESPONSE_MISSED, E.REPAIR_NEAR} <= set(OUTDATES[E.REPAIR_MISSED])
    assert E.REPAIR_MISSED in OUTDATES[E.ASSIGNED], "the former holder is not told of it"


@pytest.mark.parametrize(
    ("said", "to", "state", "mine", "over"),
    [
        ("assigned", "holder", WorkState.ASSIGNED, True, False),
        ("assigned", "holder", WorkState.ASSIGNED, False, True),
        ("assigned", "holder", WorkState.ACCEPTED, True, True),
        ("repair-near", "holder", WorkState.ACCEPTED, True, False),
        ("repair-missed", "operators", WorkState.ACCEPTED, False, False),
        ("repair-missed", "operators", WorkState.CANCELLED, False, True),
        ("response-missed", None, WorkState.ASSIGNED, False, False),
        ("cancelled", "holder", WorkState.CANCELLED, True, False),
        ("withdrawn", "former", WorkState.ACCEPTED, True, True),
        ("withdrawn", "former", WorkState.CANCELLED, False, False),
        ("declined", "operators", WorkState.OPEN, False, False),
    ],
)
def test_what_is_true_no_longer_is_not_said(
    said: str, to: str | None, state: WorkState, *, mine: bool, over: bool
) -> None:
    assert is_over(said, to, OrderStanding(state=state, mine=mine, in_hand=mine)) is over
