"""Sign-ins at a provider that have begun: each can come back once, to the browser that began it.

Must not know cookies, nor what is sent to the provider.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from devices.instants import to_datetime
from people.credentials import digest, new_secret
from people.oidc.claims import OidcRefused

if TYPE_CHECKING:
    from store.connection import Connection

GOOD_FOR = timedelta(minutes=10)
MOST_WAITING = 10_000
"""Sign-ins that may have begun and not come back: nobody needs an identity to begin one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcStart:
    """What a sign-in begins with, all of it random.

    state: comes back in the address. browser: stands in the cookie. nonce: comes back in the token. verifier:
    proves to the provider that the code is for who began (PKCE).
    """

    state: str = field(default_factory=new_secret)
    browser: str = field(default_factory=new_secret)
    nonce: str = field(default_factory=new_secret)
    verifier: str = field(default_factory=new_secret)


_KEEP = """
WITH over AS (
    DELETE FROM oidc_sign_in WHERE expires_at <= $5
)
INSERT INTO oidc_sign_in (hash, browser_hash, nonce, verifier, expires_at)
SELECT $1, $2, $3, $4, $6
WHERE (SELECT count(*) FROM oidc_sign_in WHERE expires_at > $5) < $7
RETURNING 1
"""


async def keep(connection: Connection, start: OidcStart, now: int) -> None:
    """Remember a sign-in until it comes back, or for ten minutes.

    Raises:
        OidcRefused: too many have begun.
    """
    at = to_datetime(now)
    kept = await connection.fetchval(
        _KEEP, digest(start.state), digest(start.browser), start.nonce, start.verifier, at, at + GOOD_FOR,
        MOST_WAITING,
    )  # fmt: skip
    if kept is None:
        raise OidcRefused("away", f"{MOST_WAITING} sign-ins have begun and did not come back")


_TAKE = """
DELETE FROM oidc_sign_in
WHERE hash = $1 AND browser_hash = $2 AND expires_at > $3
RETURNING nonce, verifier
"""


async def take(connection: Connection, state: str, browser: str, now: int) -> OidcStart:
    """Return the sign-in that comes back, and forget it.

    Raises:
        OidcRefused: it was not begun in this browser, came back before, or took too long.
    """
    row = await connection.fetchrow(_TAKE, digest(state), digest(browser), to_datetime(now))
    if row is None:
        raise OidcRefused("state", "no sign-in of this state was begun in this browser, or it is over")
    return OidcStart(state=state, browser=browser, nonce=row["nonce"], verifier=row["verifier"])
