"""A server of databases that somebody else runs, to be measured: with TimescaleDB, or without."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psutil

from store.errors import StoreError
from store.pool import connect, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseServer:
    """Databases are made on it and dropped. pid: of its first process; None where it is not seen here."""

    address: str
    pid: int | None
    version: str

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{database}"))


_KNOWN = """
SELECT
    current_setting('track_commit_timestamp') AS tracked, current_setting('server_version') AS version,
    pg_backend_pid() AS pid, inet_server_addr() IS NULL AS is_local, (
        SELECT a.default_version FROM pg_available_extensions AS a WHERE a.name = 'timescaledb'
    ) AS timescale
"""


async def named(address: str) -> DatabaseServer:
    """Return the server at an address.

    Raises:
        StoreError: it does not answer, or does not tell when a commit was.
    """
    connection = await connect(address)
    try:
        row = await connection.fetchrow(_KNOWN)
    finally:
        await connection.close()
    assert row is not None
    if row["tracked"] != "on":
        raise StoreError(
            f"{name_of(address)}: set track_commit_timestamp = on and restart it: commits are timed by that"
        )
    beside = f" with TimescaleDB {row['timescale']}" if row["timescale"] else ""
    return DatabaseServer(
        address=address,
        pid=_first_process(row["pid"]) if row["is_local"] else None,
        version=f"{row['version']}{beside}",
    )


def _first_process(pid: int) -> int | None:
    # By a unix socket it is on this machine, if not in a container whose processes have other numbers.
    try:
        backend = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None
    first = backend.parent()
    return first.pid if first and "postgres" in (backend.name(), first.name()) else None
