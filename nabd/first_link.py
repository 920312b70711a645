"""The way into an installation for whoever runs it: a link that signs in as an administrator."""

from __future__ import annotations

from nabd import clock
from nabd.settings import Settings
from people.first import address_of, first_link
from people.person import first_admin
from people.tokens import has_admin_token
from store.audit import PLATFORM
from store.connection import Connection
from store.pool import connect


async def link_of(settings: Settings, base: str | None = None) -> str:
    """Return the address of a new link: good once, for ten minutes by the machine's clock."""
    assert settings.database is not None
    connection = await connect(settings.database)
    try:
        _, secret = await first_link(connection, clock.wall(), by=PLATFORM)
        return address_of(base or base_of(settings), secret)
    finally:
        await connection.close()


def base_of(settings: Settings) -> str:
    """Return where this machine reaches the API."""
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


async def is_without_admin(connection: Connection) -> bool:
    """Tell whether nobody can sign in or ask as an administrator of all municipalities."""
    return await first_admin(connection) is None and not await has_admin_token(connection, clock.wall())
