"""The way into a new installation: a link that signs in as its administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.registry.errors import AlreadyExists
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

    Where there is none, one without a password is added under `name`, or the next name that is free: somebody
    who was disabled or holds other roles is not let in by it.
    """
    found = await first_admin(connection) or await _add_admin(connection, now, by, name)
    person = await get_person(connection, found)
    return found, await links.create_link(connection, person.id, now, by=by)


async def _add_admin(connection: Connection, now: int, by: Actor, name: str) -> str:
    free, number = name, 1
    while True:
        new = NewPerson(name=free, display_name="Administrator", grants=[Grant(role=Role.ADMIN)])
        try:
            return (await add_person(connection, new, now, by=by)).name
        except AlreadyExists:
            number += 1
            free = f"{name}-{number}"


def address_of(base: str, secret: str) -> str:
    """Return the address of a link; `base` is where the API is reached."""
    return f"{base.rstrip('/')}/signin?link={secret}"
