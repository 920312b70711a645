"""Whom an event of work concerns, what it makes needless to tell, and what is true no longer. Pure.

Must not know routes, nor how messages are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerts.transition import Severity
from notify.routing.names import OPERATORS
from work.event import WorkEventType as E
from work.order import OPEN_STATES, WorkState

HOLDER, FORMER = "holder", "former"
"""To whom something is said, beside OPERATORS: whose the order is, and whose it was."""
WITHDRAWN = "withdrawn"
"""What is told to whom an order was taken from; it is no event of its own."""
MISSED = frozenset({E.RESPONSE_MISSED, E.REPAIR_MISSED})
NOBODYS = frozenset({E.DECLINED, E.UNASSIGNED})
TOLD = MISSED | NOBODYS | {E.ASSIGNED, E.REOPENED, E.RESPONSE_NEAR, E.REPAIR_NEAR, E.CANCELLED}
"""What people are told of."""
SAID_ONCE = frozenset({E.CANCELLED.value, WITHDRAWN})
"""Nothing is to be done about them: they are told by a person's first contact alone."""
_GIVEN = (E.ASSIGNED, E.REOPENED)
_ANSWERED = (*_GIVEN, E.DECLINED, E.UNASSIGNED, E.RESPONSE_NEAR, E.RESPONSE_MISSED)
_ALL_BUT_ENDS = (*_ANSWERED, E.REPAIR_NEAR, E.REPAIR_MISSED)
OUTDATES: Mapping[E, Sequence[E]] = {
    E.ASSIGNED: _ALL_BUT_ENDS,
    E.UNASSIGNED: _ALL_BUT_ENDS,
    E.DECLINED: _ALL_BUT_ENDS,
    E.RESPONSE_NEAR: _GIVEN,
    E.RESPONSE_MISSED: (*_GIVEN, E.RESPONSE_NEAR, E.DECLINED, E.UNASSIGNED),
    E.REPAIR_NEAR: (*_GIVEN, E.RESPONSE_NEAR),
    E.REPAIR_MISSED: (*_ANSWERED, E.REPAIR_NEAR),
    E.ACCEPTED: _ANSWERED,
    E.ON_THE_WAY: _ANSWERED,
    E.IN_PROGRESS: _ANSWERED,
    E.DONE: _ALL_BUT_ENDS,
    E.CANCELLED: _ALL_BUT_ENDS,
}
"""What nobody needs to be told any more where it was not sent yet, for own steps or quiet hours."""
STILL_FOR_OPERATORS: Mapping[E, frozenset[E]] = dict.fromkeys((E.ASSIGNED, *NOBODYS), MISSED)
"""What operators are told all the same: another holder does not undo it."""
_UNANSWERED = frozenset({WorkState.OPEN, WorkState.ASSIGNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEventFacts:
    """One event, with its order as it is now.

    given_to: receivers that the event names, as routes write them. held_by: whose the order is; former: the
    person whose it was before the event, None where it was nobody's or a team's.
    """

    xid: int
    id: int
    order: int
    type: E
    author: int | None
    municipality: str
    kind: str
    device: str
    severity: Severity
    state: WorkState
    given_to: str | None
    held_by: str | None
    former: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTelling:
    """What is said to a receiver. event: a WorkEventType or WITHDRAWN; to: HOLDER, FORMER or OPERATORS."""

    event: str
    to: str
    receiver: str


def tellings_of(event: WorkEventFacts) -> list[WorkTelling]:
    """Return what is told of an event to whom, as routes write them.

    Nothing where the order has ended meanwhile, but of its cancellation, and to whom it was taken from.
    """
    found = [_said(event, event.former, FORMER, WITHDRAWN)] if _is_taken(event) else []
    return [one for one in [*found, *_of_order(event)] if one is not None]


def _is_taken(event: WorkEventFacts) -> bool:
    return event.type in (E.ASSIGNED, E.UNASSIGNED) and event.former not in (None, event.held_by)


def _of_order(event: WorkEventFacts) -> list[WorkTelling | None]:
    holder, operators = _said(event, event.held_by, HOLDER), _said(event, OPERATORS, OPERATORS)
    if event.type is E.CANCELLED:
        return [holder]
    if event.type not in TOLD or event.state not in OPEN_STATES:
        return []
    if event.type is E.ASSIGNED:
        return [holder] if event.given_to == event.held_by else []
    if event.type in NOBODYS:
        in_hand = event.state not in _UNANSWERED or (event.held_by or "").startswith("person:")
        return [] if in_hand else [holder or operators]
    return [holder, operators] if event.type in MISSED else [holder or operators]


def _said(
    event: WorkEventFacts, receiver: str | None, to: str, what: str | None = None
) -> WorkTelling | None:
    said = what or event.type.value
    return None if receiver is None else WorkTelling(event=said, to=to, receiver=receiver)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStanding:
    """An order when something is said of it. mine: the reader's, or their team's; in_hand: a person's."""

    state: WorkState
    mine: bool
    in_hand: bool


def is_over(event: str, to: str | None, order: OrderStanding) -> bool:
    """Tell whether what was to be said of an order is true no longer. to: None: nobody knows any more."""
    if event == E.CANCELLED:
        return False
    if event == WITHDRAWN:
        return order.mine
    if order.state not in OPEN_STATES or (to == HOLDER and not order.mine):
        return True
    if event in NOBODYS:
        return order.in_hand or order.state not in _UNANSWERED
    return event in _ANSWERED and order.state not in _UNANSWERED
