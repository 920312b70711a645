"""Which reports whoever is signed in gets by e-mail, said by themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from notify.notices import subscriptions
from notify.outbox.planned import NoticeTopic
from people.person import person_of

router = APIRouter(tags=["sign-in"])


class SubscriptionOut(BaseModel, frozen=True):
    """A report that somebody gets by e-mail."""

    topic: Literal["weekly-report", "audit-heads"]
    municipality: Annotated[str, Field(max_length=32)] | None = Field(
        default=None,
        examples=["tripoli"],
        description="null: all of them, and the platform; audit-heads only",
    )


class SubscriptionsOut(BaseModel):
    """All the reports that somebody gets by e-mail."""

    subscriptions: list[SubscriptionOut] = Field(max_length=100)


@router.get("/session/subscriptions", summary="Which reports do I get?")
async def get_own_subscriptions(identity: UsesIdentity, connection: UsesConnection) -> SubscriptionsOut:
    """Return my reports: the week's work of a municipality, the monthly heads of the audit."""
    me = await person_of(connection, identity.principal)
    found = await subscriptions.list_subscriptions(connection, me.name)
    return SubscriptionsOut(
        subscriptions=[SubscriptionOut(topic=s.topic.value, municipality=s.municipality) for s in found]  # type: ignore[arg-type]
    )


@router.put("/session/subscriptions", summary="Say which reports I get")
async def put_own_subscriptions(
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: SubscriptionsOut,
) -> SubscriptionsOut:
    """Get these reports and no others. Needs an e-mail address, and a role that reads them there."""
    now = context.now()
    async with connection.transaction():
        before = set((await get_own_subscriptions(identity, connection)).subscriptions)
        wanted = set(body.subscriptions)
        me = await person_of(connection, identity.principal)
        for change, reports in (
            (subscriptions.unsubscribe, before - wanted),
            (subscriptions.subscribe, wanted - before),
        ):
            for one in sorted(reports, key=lambda r: (r.topic, r.municipality or "")):
                await change(connection, me.name, NoticeTopic(one.topic), one.municipality, by=actor, now=now)
    return await get_own_subscriptions(identity, connection)
