"""What is answered to who posts readings: of each element what became of it, once that is committed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from api.context import AppContext
from api.http.problems import Problem
from devices.relay import Outcome
from devices.wire import Reason
from devices.wire.posted import PostedElement
from devices.wire.topics import Topic

ANSWER_S = 25.0
"""How long we wait for receipts: less than what gateways of mobile networks wait for us."""
RETRY_AFTER_S = 30

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "the body is not of its format"},
    401: {"description": "nobody who may post here"},
    413: {"description": "the body is too large"},
    415: {"description": "no format that is read here"},
    429: {"description": "too many wrong passwords or signatures, or too many requests"},
    503: {
        "description": "not committed yet: send the same again; what is stored already is not stored twice"
    },
}
"""What may be answered in place of outcomes."""


class ElementOutcome(StrEnum):
    """What became of an element. `stored`: by this one, or by an equal one before."""

    STORED = "stored"
    REJECTED = "rejected"


class ElementOut(BaseModel):
    """What became of one element."""

    outcome: ElementOutcome
    reason: Reason | None = Field(default=None, description="why it was rejected; docs/protocol.md explains")
    pointer: str | None = Field(default=None, description="JSON pointer into the body to what is at fault")


class ElementsOut(BaseModel):
    """What became of the elements of a body, in their order."""

    stored: int
    rejected: int
    elements: list[ElementOut]


async def relayed(context: AppContext, gateway: Topic, posted: Sequence[PostedElement]) -> ElementsOut:
    """Hand elements on, and return what is answered of each.

    Raises:
        Problem: as `outcomes_of`.
    """
    outcomes = await outcomes_of(context, gateway, [one.element for one in posted])
    found = [
        outcome_out(outcome, one.pointer(outcome.pointer))
        for one, outcome in zip(posted, outcomes, strict=True)
    ]
    stored = sum(outcome.settled for outcome in outcomes)
    return ElementsOut(stored=stored, rejected=len(found) - stored, elements=found)


async def outcomes_of(
    context: AppContext, gateway: Topic, elements: Sequence[Mapping[str, object]]
) -> list[Outcome]:
    """Hand elements on, and return what became of each once that is committed.

    Raises:
        Problem: 503 where nothing is committed in time: the broker, ingest or the database is away.
    """
    if context.relaying is None:
        raise later("there is no broker: NABD_BROKER names none")
    try:
        async with asyncio.timeout(ANSWER_S):
            return await context.relaying.send(gateway, elements)
    except TimeoutError:
        reason = context.relaying.state(gateway).reason or "ingest has sent no receipt"
        raise later(reason) from None


def outcome_out(outcome: Outcome, pointer: str) -> ElementOut:
    """Return what is answered of one element; pointer: to what is at fault, where it is rejected."""
    if outcome.settled:
        return ElementOut(outcome=ElementOutcome.STORED)
    reason = Reason(outcome.reason or Reason.INTERNAL)
    return ElementOut(outcome=ElementOutcome.REJECTED, reason=reason, pointer=pointer)


def later(reason: str) -> Problem:
    """Return the problem of what may be committed yet, and is to be sent again."""
    detail = f"nothing of it is committed yet ({reason}): keep it, and send the same again"
    return Problem(503, "unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})
