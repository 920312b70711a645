"""What teams and on-call schedules share: names, titles, whose they are, and that routes may name them.

Must not know what either is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_municipality
from devices.registry.validation import check_titles
from notify.routing.documents import routes_in_force
from notify.routing.route_reader import RoutesRefused, read_routes
from store.connection import Connection

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def check_new_name(name: str) -> None:
    """Refuse what cannot be a name.

    Raises:
        Invalid: it cannot.
    """
    if not NAME.fullmatch(name):
        raise Invalid("name", "is 1 to 63 small letters of a to z, digits, '.', '_' and '-'; no sign first")


def check_fields(changes: Mapping[str, Any], fields: Iterable[str], what: str) -> None:
    """Refuse titles in other languages, and fields that are none.

    Raises:
        Invalid: with the first of them.
    """
    for unknown in changes.keys() - set(fields):
        raise Invalid(unknown, f"is no field of {what}: {', '.join(fields)}")
    check_titles(changes.get("title", {}))


async def town_id(connection: Connection, municipality: str | None) -> int | None:
    """Return the number of a municipality; None stands for all.

    Raises:
        NotFound: there is none of that name.
    """
    return None if municipality is None else (await get_municipality(connection, municipality)).id


_PEOPLE = """
SELECT p.name, p.id, EXISTS (
    SELECT FROM membership AS g
    WHERE g.person_id = p.id AND (g.municipality_id IS NULL OR $2::int IS NULL OR g.municipality_id = $2)
) AS holds
FROM person AS p
WHERE p.name = ANY($1::text [])
"""


async def people_ids(
    connection: Connection, names: Iterable[str], town: int | None, field: str
) -> dict[str, int]:
    """Return the numbers of people by name.

    Args:
        town: the number of the municipality in which they must hold a role; None: in any.
        field: what is refused where they do not.

    Raises:
        NotFound: there is nobody of a name.
        Invalid: somebody holds no role there.
    """
    wanted = list(names)
    rows = {row["name"]: row for row in await connection.fetch(_PEOPLE, wanted, town)}
    for name in wanted:
        if name not in rows:
            raise NotFound("person", name, "`nabd user list` shows them")
        if not rows[name]["holds"]:
            raise Invalid(field, f"{name} holds no role there")
    return {name: row["id"] for name, row in rows.items()}


async def refuse_if_named(connection: Connection, receiver: str) -> None:
    """Refuse to remove what the routes in force name.

    Raises:
        Conflict: they do.
    """
    try:
        routes = read_routes((await routes_in_force(connection)).document)
    except RoutesRefused:
        return
    if receiver in routes.receivers():
        raise Conflict(f"the routes name {receiver}: change them first (`nabd route show`)")
