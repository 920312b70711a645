"""Whether the database lets the account of NABD_DATABASE in, and do what it must."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import asyncpg

from nabd.doctor.check import CheckResult, bad

REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)
"""SQLSTATE 28 (no such account, another password, no line in pg_hba.conf) and 42501."""


def refusal(dsn: str, error: BaseException) -> CheckResult | None:
    """Return what to do where the account is at fault; None where something else is."""
    cause = error.__cause__ or error
    if not isinstance(cause, REFUSED):
        return None
    account = unquote(urlsplit(dsn).username or "") or "the account of this machine's user"
    if isinstance(cause, asyncpg.InsufficientPrivilegeError):
        fix = f"as the owner of the schema GRANT it to {account}, or name the owner in NABD_DATABASE"
        return bad("database account", f"{account} may not do what Nabd needs: {cause}", fix)
    fix = (
        f"give it a password, ALTER ROLE {account} LOGIN PASSWORD …, and NABD_DATABASE the same one;"
        " pg_hba.conf must let it in"
    )
    return bad("database account", f"the database refuses {account}: {cause}", fix)
