"""Runs a command's work on the database: one connection, and every expected failure as one line.

Knows settings, clock and declared kinds, so that commands need not.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from devices import kinds
from devices.instants import Now
from devices.kinds import Kinds
from devices.kinds.kind import KindError
from devices.registry.errors import RegistryError
from nabd import clock
from nabd.cli.output import fail
from nabd.cli.run import load_settings
from nabd.settings import Settings
from store import principals
from store.audit import Actor
from store.connection import Connection
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import require_migrated
from store.pool import STATEMENT_TIMEOUT_S, connect

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDatabase:
    """The connection, clock and kinds of a command."""

    connection: Connection
    kinds: Kinds
    now: Now
    settings: Settings

    async def actor(self, author: str = "") -> Actor:
        """Return who runs this command: the user of this machine, or whom the option names."""
        principal = await principals.named(self.connection, "command", (author or someone())[:100])
        return Actor(principal=principal, address=socket.gethostname())


def someone() -> str:
    """Return the name of the user who runs this command, as the machine tells it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def run(
    work: Callable[[OpenDatabase], Awaitable[T]], *, statement_timeout_s: float = STATEMENT_TIMEOUT_S
) -> T:
    """Run a command's work on the configured database and return what it returns.

    A refusal or an outage is printed as one line that names the fix; the exit code is then 1. With
    `statement_timeout_s=0` statements may take as long as they need.
    """
    settings = load_settings()
    try:
        return asyncio.run(_opened(work, settings, statement_timeout_s))
    except (RegistryError, StoreError, KindError) as error:
        fail(str(error))
    except DATABASE_ERRORS as error:
        fail(f"the database did not answer as expected: {error or type(error).__name__}; see `nabd doctor`")


async def _opened(
    work: Callable[[OpenDatabase], Awaitable[T]], settings: Settings, statement_timeout_s: float
) -> T:
    connection = await connect(_dsn(settings), statement_timeout_s=statement_timeout_s)
    try:
        await require_migrated(connection)
        now, _ = clock.parse(settings.clock)
        declared = kinds.load(settings.kinds_dir)
        return await work(OpenDatabase(connection=connection, kinds=declared, now=now, settings=settings))
    finally:
        await connection.close()


def _dsn(settings: Settings) -> str:
    if not settings.database:
        fail("no database is named: set NABD_DATABASE=postgresql://user@host/name, as `nabd up` prints it")
    return settings.database
