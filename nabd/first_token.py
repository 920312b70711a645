"""The token of a new installation: made once, shown once."""

from __future__ import annotations

from api.http.tokens import any_token, create_token
from nabd import clock
from nabd.settings import Settings
from store.pool import connect


async def first_token(settings: Settings) -> str | None:
    """Return a new token where there is none yet; None where there is one already."""
    assert settings.database is not None
    now, _ = clock.parse(settings.clock)
    connection = await connect(settings.database)
    try:
        if await any_token(connection, now()):
            return None
        return await create_token(connection, "first", now())
    finally:
        await connection.close()
