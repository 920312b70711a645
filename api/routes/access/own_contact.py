"""How whoever is signed in is told of alerts, said by themselves."""

from __future__ import annotations

from fastapi import APIRouter

from api.author import UsesActor
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.schemas.contact import ContactChanges, ContactOut, QuietHoursOut, StepOut
from people import editing
from people.contact_settings import check_own_channels
from people.person import Person, locked_person, person_of

router = APIRouter(tags=["sign-in"])


@router.get("/session/contact", summary="How am I told of alerts?")
async def get_own_contact(identity: UsesIdentity, connection: UsesConnection) -> ContactOut:
    """Return my channels, steps and quiet hours."""
    return _out(await person_of(connection, identity.principal))


@router.patch("/session/contact", summary="Change how I am told of alerts")
async def edit_own_contact(
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: ContactChanges,
) -> ContactOut:
    """Change my channels, steps, quiet hours and language; webhook and mqtt are set by an administrator."""
    changes = body.model_dump(exclude_unset=True, by_alias=True)
    async with connection.transaction():
        me = await locked_person(connection, (await person_of(connection, identity.principal)).name)
        check_own_channels(changes.get("channels", {}), me.channels)
        edited = await editing.edit_person(connection, me.name, changes, context.real_now(), by=actor)
    return _out(edited)


def _out(me: Person) -> ContactOut:
    return ContactOut(
        channels=dict(me.channels),
        steps=[StepOut(**step) for step in me.steps],
        quiet_hours=[QuietHoursOut(**span) for span in me.quiet_hours],
        language=me.language,
        email=me.email,
        phone=me.phone,
    )
