"""Who does something in a test."""

from __future__ import annotations

from store.audit import Actor
from store.connection import Connection
from store.principals import named


async def actor(connection: Connection, name: str) -> Actor:
    """Return somebody of this name, at the command line."""
    return Actor(principal=await named(connection, "command", name), address="here")
