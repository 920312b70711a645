"""People, devices and orders that tests of work need, made with the code that makes them in life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from notify.routing.teams import NewTeam, add_team
from people.editing import NewPerson, add_person
from people.identity import of_texts
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from work.change import WorkStep
from work.order import WorkOrder
from work.orders import NewOrder, make

NOW = builders.now()
MINUTE_US = 60_000_000


async def person(
    connection: asyncpg.Connection, name: str, role: str = "technician@tripoli", **more: Any
) -> Actor:
    """Add a person and return them as who acts."""
    await builders.add_town(connection, role.partition("@")[2] or "tripoli")
    grants = sorted(of_texts([role]), key=str)
    added = await add_person(connection, NewPerson(name=name, grants=grants, **more), NOW, by=PLATFORM)
    return Actor(principal=added.id, address="")


async def team(connection: asyncpg.Connection, name: str, members: Sequence[str]) -> None:
    """Add a team of Tripoli."""
    new = NewTeam(name=name, municipality="tripoli", members=members)
    await add_team(connection, new, NOW, by=PLATFORM)


def step(by: Actor = PLATFORM, minutes: float = 0, **more: Any) -> WorkStep:
    """A step of somebody, some minutes after noon."""
    return WorkStep(by=by, now=NOW + round(minutes * MINUTE_US), **more)


async def order(connection: asyncpg.Connection, device: str = "bin-1", **more: Any) -> WorkOrder:
    """Make an order by hand for a device, which is registered too."""
    await builders.add(connection, device)
    return await make(connection, NewOrder(device=device, title="empty it", **more), step())
