"""Accounts of the database that read the views v_*: made, given a password, and recorded in the audit."""

from __future__ import annotations

import asyncpg

from store import audit
from store.audit import Actor
from store.connection import Connection
from store.errors import StoreError


class ReaderRefused(StoreError):
    """The account cannot be made or changed; the text says why."""


_EXISTS = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"


async def exists(connection: Connection, role: str) -> bool:
    """Tell whether there is such an account."""
    found: bool = await connection.fetchval(_EXISTS, role)
    return found


_REFUSE = "SELECT refuse_to_readers()"


async def refuse(connection: Connection) -> None:
    """Take from everybody who may connect what PostgreSQL leaves to them and no reader needs."""
    await connection.execute(_REFUSE)


_KEEP = "SELECT keep_reader($1::text::name, $2, $3)"
_NUMBER = "SELECT id FROM municipality WHERE name = $1"


async def keep(
    connection: Connection, role: str, municipality: str | None, password: str, *, by: Actor, now: int
) -> None:
    """Make an account that reads one municipality, None: all; or bring it to that.

    Raises:
        ReaderRefused: the owner may make no roles, the role is somebody else's, there is no such
            municipality.
    """
    try:
        async with connection.transaction():
            made = await connection.fetchval(_KEEP, role, municipality, password)
            await audit.record(
                connection,
                by=by,
                municipality=await connection.fetchval(_NUMBER, municipality) if municipality else None,
                action="reader.add" if made else "reader.edit",
                subject=role,
                after={"municipality": municipality, "password": password},
                now=now,
            )
    except asyncpg.InsufficientPrivilegeError as error:
        raise ReaderRefused(
            f"account {role} cannot be made: {error}; as a superuser: ALTER ROLE the_owner CREATEROLE"
        ) from error
    except asyncpg.RaiseError as error:
        raise ReaderRefused(str(error)) from error
