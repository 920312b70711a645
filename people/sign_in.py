"""Signing in by name, password and, where a person has one, the code of an app; and setting such an app up.

A code is good once. What was wrong is not told apart, so that nobody learns which names there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid
from people import passwords, recorded, totp
from people.credentials import digest
from people.person import Person
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection


class SignInRefused(Exception):
    """Name, password or code is wrong, or the person is disabled."""


class CodeMissing(Exception):
    """An administrator must have an app's codes here, and has none yet."""


_WHO = """
SELECT
    p.id, p.password_hash, p.totp_secret, p.totp_step,
    EXISTS (SELECT FROM membership AS g WHERE g.person_id = p.id AND g.role = 'admin') AS is_admin
FROM person AS p
WHERE p.name = $1 AND p.disabled_at IS NULL
"""


async def sign_in(
    connection: Connection, name: str, password: str, code: str, now: int, *, totp_required: bool
) -> int:
    """Return the person that a name, a password and a code are of.

    Args:
        code: of the app, or a recovery code; empty where the person has none.
        now: microseconds since 1970-01-01Z.
        totp_required: administrators without an app are refused.

    Raises:
        SignInRefused: something of it is wrong.
        CodeMissing: it is right, and not enough for an administrator.
        TooManyPasswords: too many are being checked.
    """
    row = await connection.fetchrow(_WHO, name)
    right = await passwords.is_password(password, row["password_hash"] if row else None)
    if row is None or not right:
        raise SignInRefused
    if row["totp_secret"] is None and totp_required and row["is_admin"]:
        raise CodeMissing
    if row["totp_secret"] is not None and not await _takes_code(connection, row, code, now):
        raise SignInRefused
    person: int = row["id"]
    return person


_TAKE_STEP = "UPDATE person SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING id"
_TAKE_RECOVERY = """
UPDATE person SET recovery_codes = array_remove(recovery_codes, $2)
WHERE id = $1 AND $2 = ANY(recovery_codes)
RETURNING id
"""


async def _takes_code(connection: Connection, row: asyncpg.Record, code: str, now: int) -> bool:
    plain = totp.normalised(code)
    step = totp.step_of(row["totp_secret"], plain, now / 1e6, row["totp_step"])
    if step is not None:
        return await connection.fetchval(_TAKE_STEP, row["id"], step) is not None
    return await connection.fetchval(_TAKE_RECOVERY, row["id"], digest(plain)) is not None


_SET_TOTP = """
UPDATE person SET
    totp_secret = $2, totp_step = $3, recovery_codes = $4, version = version + 1, updated_at = $5
WHERE id = $1 AND ($6 OR totp_secret IS NULL)
RETURNING id
"""


async def set_totp(
    connection: Connection,
    person: Person,
    secret: str,
    code: str,
    now: int,
    *,
    by: Actor,
    replace: bool = False,
) -> list[str]:
    """Ask a person for the codes of an app from now on; return recovery codes, which are shown once.

    Args:
        secret: what the app was given.
        code: what it shows, as proof that it works.
        replace: also where there is an app already.

    Raises:
        Invalid: the secret is none, or the code is not its.
        Conflict: there is an app already.
    """
    if not totp.is_secret(secret):
        raise Invalid("secret", "is at least 26 characters of base32")
    step = totp.step_of(secret, totp.normalised(code), now / 1e6, 0)
    if step is None:
        raise Invalid("code", "is not what the app shows now")
    codes = totp.recovery_codes()
    stored = [digest(totp.normalised(one)) for one in codes]
    async with connection.transaction():
        values = (person.id, secret, step, stored, to_datetime(now), replace)
        if await connection.fetchval(_SET_TOTP, *values) is None:
            raise Conflict("there is an app already: take it away first")
        after = {"has_totp": True, "totp_secret": "another"}
        await recorded.record(connection, by, "totp", person.id, {"has_totp": person.has_totp}, after, now)
    return codes


async def drop_totp(
    connection: Connection, person: Person, now: int, *, by: Actor, totp_required: bool
) -> None:
    """Ask a person for no codes any more.

    Raises:
        Conflict: administrators must have an app here.
    """
    if totp_required and any(grant.role == "admin" for grant in person.grants):
        raise Conflict("administrators need an app's codes here (NABD_TOTP_REQUIRED_FOR_ADMINS)")
    async with connection.transaction():
        await connection.execute(_SET_TOTP, person.id, None, 0, [], to_datetime(now), True)
        before = {"has_totp": person.has_totp}
        await recorded.record(connection, by, "totp", person.id, before, {"has_totp": False}, now)
