"""The way into a new installation: a link that signs in as its administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from people import links
from people.editing import NewPerson, add_person
from people.identity import Grant
from people.person import first_admin, get_person
from people.roles import Role
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection

NAME = "admin"


async def first_link(connection: Connection, now: int, *, by: Actor, name: str = NAME) -> tuple[str, str]:
    """Return the name of an administrator of all municipalities, and the secret of a link that signs them in.

    Where there is none, one without a password is added under `name`.
    """
    found = await first_admin(connection)
    if found is None:
        new = NewPerson(name=name, display_name="Administrator", grants=[Grant(role=Role.ADMIN)])
        found = (await add_person(connection, new, now, by=by)).name
    person = await get_person(connection, found)
    return found, await links.create_link(connection, person.id, now, by=by)


def address_of(base: str, secret: str) -> str:
    """Return the address of a link; `base` is where the API is reached."""
    return f"{base.rstrip('/')}/signin?link={secret}"
