"""Steps of a work order: accept, decline, on the way, in progress, done, cancel; and comments.

A technician acts on their own work, an operator on all of the municipality.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.idempotency import ChangeRequest, UsesChangeRequest
from api.routes.work.orders import OrderId
from api.schemas.work import (
    ReasonIn,
    WorkCommentIn,
    WorkCommentOut,
    WorkOrderOut,
    WorkReportIn,
    WorkStepIn,
    order_out,
)
from devices.kinds import Kinds
from people.identity import Identity
from people.roles import Permission
from store.audit import Actor
from store.connection import Connection
from work import listing, steps
from work.change import WorkStep
from work.checklists import check_answers, checklist_of

AT_ONCE = WorkStepIn()
"""A step of now, which needs no body."""
router = APIRouter(
    tags=["work"],
    responses={409: {"description": "another one has it, its state does not allow it, or it was changed"}},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """A request that takes a step of an order: who asks, and with what."""

    connection: Connection
    identity: Identity
    actor: Actor
    command: ChangeRequest
    kinds: Kinds
    now: Callable[[], int]

    async def step(self, order: int, body: WorkStepIn | WorkCommentIn) -> WorkStep:
        """Return the step that a body asks for.

        Raises:
            NotFound: there is no such order.
        """
        found = await listing.get_order(self.connection, order)
        return WorkStep(
            by=self.actor,
            now=self.now(),
            happened_at=body.happened_at,
            version=body.version if isinstance(body, WorkStepIn) else None,
            own_only=not self.identity.may_in(Permission.DIRECT_WORK, found.municipality),
        )

    async def take(
        self, order: int, body: WorkStepIn, step: Callable[[WorkStep], Awaitable[bool]]
    ) -> WorkOrderOut:
        """Take a step once, and return the order as it is then."""

        async def work() -> WorkOrderOut:
            await step(await self.step(order, body))
            found = await listing.get_order(self.connection, order)
            return order_out(found, self.now(), self.identity)

        return await self.command.once(WorkOrderOut, work, body)


def _asked(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
) -> StepRequest:
    return StepRequest(
        connection=connection,
        identity=identity,
        actor=actor,
        command=command,
        kinds=context.kinds,
        now=context.now,
    )


Asks = Annotated[StepRequest, Depends(_asked, scope="function")]


@router.post("/work-orders/{order:number}/accept", summary="Take it in hand")
async def accept(order: OrderId, asks: Asks, body: WorkStepIn = AT_ONCE) -> WorkOrderOut:
    """Accept an order that was given to oneself or to a team of one's own, or that is nobody's."""
    return await asks.take(order, body, lambda step: steps.accept(asks.connection, order, step))


@router.post("/work-orders/{order:number}/decline", summary="Give it back")
async def decline(order: OrderId, asks: Asks, body: ReasonIn) -> WorkOrderOut:
    """Say why one cannot do it: the order is its team's again, else nobody's."""
    return await asks.take(order, body, lambda step: steps.decline(asks.connection, order, body.reason, step))


@router.post("/work-orders/{order:number}/on-the-way", summary="Say that somebody is on the way")
async def on_the_way(order: OrderId, asks: Asks, body: WorkStepIn = AT_ONCE) -> WorkOrderOut:
    """Say that one goes there now."""
    return await asks.take(order, body, lambda step: steps.go(asks.connection, order, step))


@router.post("/work-orders/{order:number}/start", summary="Say that the work has begun")
async def start(order: OrderId, asks: Asks, body: WorkStepIn = AT_ONCE) -> WorkOrderOut:
    """Say that somebody is there and works: the order is in progress."""
    return await asks.take(order, body, lambda step: steps.begin(asks.connection, order, step))


@router.post("/work-orders/{order:number}/done", summary="Report it done")
async def done(order: OrderId, asks: Asks, body: WorkReportIn) -> WorkOrderOut:
    """Report what was found and done. The alert ends by readings alone."""

    async def finish(step: WorkStep) -> bool:
        report = body.as_report()
        check_answers(report, await checklist_of(asks.connection, asks.kinds, order))
        return await steps.finish(asks.connection, order, report, step)

    return await asks.take(order, body, finish)


@router.post("/work-orders/{order:number}/cancel", summary="Call it off")
async def cancel(order: OrderId, asks: Asks, body: ReasonIn) -> WorkOrderOut:
    """Cancel an order that is not done, for a reason."""
    return await asks.take(order, body, lambda step: steps.cancel(asks.connection, order, body.reason, step))


@router.post("/work-orders/{order:number}/comments", status_code=201, summary="Comment on it")
async def comment(order: OrderId, asks: Asks, body: WorkCommentIn) -> WorkCommentOut:
    """Add a comment, whatever the order's state: plain text, shown as it was written."""

    async def work() -> WorkCommentOut:
        step = await asks.step(order, body)
        return WorkCommentOut(id=await steps.comment(asks.connection, order, body.text, step))

    return await asks.command.once(WorkCommentOut, work, body)
