"""Whether the database lets the account of NABD_DATABASE in, and do what it must."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import asyncpg

from devices.texts.translated import Part, say
from nabd.doctor.check import CheckResult, bad

REFUSED = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InsufficientPrivilegeError)
"""SQLSTATE 28 (no such account, another password, no line in pg_hba.conf) and 42501."""


def refusal(dsn: str, error: BaseException) -> CheckResult | None:
    """Return what to do where the account is at fault; None where something else is."""
    cause = error.__cause__ or error
    if not isinstance(cause, REFUSED):
        return None
    account: Part = unquote(urlsplit(dsn).username or "") or say("check.account_of_machine")
    if isinstance(cause, asyncpg.InsufficientPrivilegeError):
        found = say("check.account_poor", account=account, error=str(cause))
        return bad("database account", found, say("check.grant", account=account))
    found = say("check.account_refused", account=account, error=str(cause))
    return bad("database account", found, say("check.give_password", account=account))
