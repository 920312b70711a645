"""A PostgreSQL that asks everybody for a password, its superuser too; the demo's trusts who is here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from secrets import token_bytes

from bench.production.layout import ProductionLayout
from nabd.accounts.scram import verifier
from nabd.embedded.postgres import EmbeddedPostgres
from store.pool import connect

NAME = "nabd"
RULES = """\
# Nobody comes in without a password.
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
"""


@asynccontextmanager
async def running(layout: ProductionLayout) -> AsyncIterator[EmbeddedPostgres]:
    """Run the server with an empty database, closed to whoever has no password."""
    port = layout.ports["database"]
    server = EmbeddedPostgres(
        layout.directory / "postgres", settings={"listen_addresses": "127.0.0.1", "port": str(port)}
    )
    with server:
        await _close(layout, port)
        (server.pgdata / "pg_hba.conf").write_text(RULES, encoding="utf-8")
        connection = await connect(address(layout, "postgres", layout.secret("database-superuser")))
        try:
            await connection.execute("SELECT pg_reload_conf()")
        finally:
            await connection.close()
        yield server


async def _close(layout: ProductionLayout, port: int) -> None:
    """Give the superuser a password and make the database, while the server still trusts whoever is here."""
    connection = await connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
    try:
        stored = verifier(layout.secret("database-superuser"), token_bytes(16))
        await connection.execute(f"ALTER ROLE postgres PASSWORD '{stored}'")
        await connection.execute(f"CREATE DATABASE {NAME}")
    finally:
        await connection.close()


def address(layout: ProductionLayout, role: str, password: str = "") -> str:
    """Return where an account comes in."""
    shown = f":{password}" if password else ""
    return f"postgresql://{role}{shown}@127.0.0.1:{layout.ports['database']}/{NAME}"
