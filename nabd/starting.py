"""How processes begin: what they are told in settings, the database they wait for, and when they are to end.

Must not know what a process does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from devices import kinds
from nabd.broker import address
from nabd.broker.source import MessageSource, source_of
from nabd.settings import Settings
from readings.tables import tables_of
from store.connection import Connection
from store.failures import is_outage
from store.migrate import require_migrated
from store.pool import connect

log = structlog.get_logger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
SUPERVISED = "NABD_SUPERVISED"
"""Set in the environment of processes that must not outlive the one that started them."""


class Stopped(Exception):
    """The process was told to stop before it had started."""


class NotConfigured(Exception):
    """A setting that a process cannot do without is empty; the text names it and the fix."""


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set, and the end of the supervisor that started us."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get(SUPERVISED):
        # Standard input is a pipe that is never written to: it ends when the supervisor does.
        threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    return stop


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # Not sys.stdin.read(): its lock would be held while the interpreter ends.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop may have ended already
        loop.call_soon_threadsafe(stop.set)


def database_of(settings: Settings) -> str:
    """Return the configured DSN.

    Raises:
        NotConfigured: there is none.
    """
    if not settings.database:
        raise NotConfigured(
            "no database is named: set NABD_DATABASE=postgresql://user@host/name, or start all with `nabd up`"
        )
    return settings.database


def broker_of(settings: Settings) -> address.BrokerAddress:
    """Return the configured broker.

    Raises:
        NotConfigured: there is none, or it is no address.
    """
    if not settings.broker:
        raise NotConfigured(
            "no broker is named: set NABD_BROKER=mqtt://user:password@host, or start all with `nabd up`"
        )
    try:
        return address.parse(settings.broker)
    except ValueError as error:
        raise NotConfigured(f"NABD_BROKER: {error}") from error


def message_source(settings: Settings) -> MessageSource:
    """Return where ingest gets messages from.

    Raises:
        NotConfigured: there is none, it is no address, or a package is not installed.
    """
    try:
        return source_of(settings, broker_of)
    except ValueError as error:
        raise NotConfigured(str(error)) from error


async def ready_database(settings: Settings) -> str:
    """Wait until the database answers, however long that takes; return its DSN.

    Raises:
        StoreError: its schema does not fit.
    """
    dsn = database_of(settings)
    tables = tables_of(kinds.load(settings.kinds_dir).values())
    await outlasting(dsn, lambda connection: require_migrated(connection, tables))
    return dsn


async def outlasting(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Return what `work` returns on a connection of its own; repeat it while the database is away."""
    told: set[str] = set()
    pause = FIRST_PAUSE_S
    while True:
        try:
            connection = await connect(dsn)
            try:
                return await work(connection)
            finally:
                connection.terminate()  # closing politely may wait for a server that is away
        except Exception as error:  # only an outage is handled here
            if not is_outage(error):
                raise
            reason = str(error) or type(error).__name__
            if reason not in told:
                told.add(reason)
                log.warning("waiting for the database", error=reason)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, unless `stop` is set first.

    Raises:
        Stopped: `stop` was set first.
    """
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    raise Stopped


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address we listen on."""
    return host in ("localhost", "::1") or host.startswith("127.")
