"""The processes' accounts, made and given their passwords by a superuser; repeating it changes nothing.

No account is a superuser or may make roles. The owner becomes the owner of the database and of all that is
ours in it, and is a member of the accounts that own tables of readings: `nabd migrate` adds columns to them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from nabd.accounts.grants import Account, owned
from nabd.accounts.scram import matches, verifier
from store.connection import Connection
from store.errors import StoreError
from store.tables import Table


class AccountsRefused(StoreError):
    """The accounts cannot be made; the text says why and names the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """What was done, by the names of accounts and relations; all empty when it was so before."""

    made: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()
    owner_of: tuple[str, ...] = ()


_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"


async def make(connection: Connection, passwords: Mapping[Account, str]) -> AccountChanges:
    """Bring the accounts and the database's ownership to what they are to be, in one transaction.

    Raises:
        AccountsRefused: this is not a superuser.
    """
    if not await connection.fetchval(_SUPERUSER):
        user = await connection.fetchval("SELECT current_user")
        raise AccountsRefused(
            f"only a superuser makes accounts, and {user} is none: name one in NABD_DATABASE for this command"
        )
    async with connection.transaction():
        made = [account.role for account in Account if await _make(connection, account)]
        changed = [a.role for a, password in passwords.items() if await _set(connection, a, password)]
        for statement in await _memberships(connection):
            await connection.execute(statement)
        taken = await _take_over(connection)
    return AccountChanges(made=tuple(made), passwords=tuple(changed), owner_of=tuple(taken))


_EXISTS = (
    "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR NOT rolcanlogin FROM pg_roles WHERE rolname = $1"
)
_PLAIN = "LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS INHERIT"


async def _make(connection: Connection, account: Account) -> bool:
    too_much = await connection.fetchval(_EXISTS, account.role)
    if too_much is not False:
        await connection.execute(f"{'CREATE' if too_much is None else 'ALTER'} ROLE {account.role} {_PLAIN}")
    return too_much is None


_VERIFIER = "SELECT rolpassword FROM pg_authid WHERE rolname = $1"


async def _set(connection: Connection, account: Account, password: str) -> bool:
    if matches(await connection.fetchval(_VERIFIER, account.role), password):
        return False
    made = verifier(password, secrets.token_bytes(16))
    await connection.execute(f"ALTER ROLE {account.role} PASSWORD '{made}'")
    return True


_MEMBER = "SELECT pg_has_role($1, $2, 'USAGE')"
_MAY_LOCK = "SELECT has_function_privilege($1, 'pg_try_advisory_lock(bigint)', 'EXECUTE')"
_PUBLIC = "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
_DATABASE = "SELECT quote_ident(current_database())"


async def _memberships(connection: Connection) -> list[str]:
    any_table = [Table(kind="any", columns=())]
    found = [
        f"GRANT {account.role} TO {Account.OWNER.role}"
        for account in sorted(set(owned(any_table).values()))
        if not await connection.fetchval(_MEMBER, Account.OWNER.role, account.role)
    ]
    database = await connection.fetchval(_DATABASE)
    if await connection.fetchval(_PUBLIC):
        found.append(f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC")
    found.append(f"GRANT CONNECT ON DATABASE {database} TO {', '.join(account.role for account in Account)}")
    # Whoever divides shards, as the owner, ends the session that holds one; who waits sees that it lives.
    found.append(f"GRANT pg_signal_backend, pg_read_all_stats TO {Account.OWNER.role}")
    found.append(f"GRANT pg_read_all_stats TO {Account.INGEST.role}, {Account.API.role}")
    # Rounds of work take an advisory lock; `refuse_to_readers` takes the right from everybody else.
    found.append(f"GRANT EXECUTE ON FUNCTION pg_try_advisory_lock(bigint) TO {Account.NOTIFY.role}")
    return found


# Sequences of identity columns follow their tables; what belongs to an extension stays with it.
_NOT_OURS = """
SELECT format('%s public.%I', CASE c.relkind
        WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE'
    END, c.relname)
FROM pg_class AS c
INNER JOIN pg_roles AS r ON c.relowner = r.oid
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND r.rolname <> ALL($1::text [])
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a') AND (
            d.deptype = 'e' OR c.relkind = 'S'
        )
    )
UNION ALL
SELECT format('ROUTINE %s', p.oid::regprocedure)
FROM pg_proc AS p
INNER JOIN pg_roles AS r ON p.proowner = r.oid
WHERE
    p.pronamespace = 'public'::regnamespace AND r.rolname <> ALL($1::text [])
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
"""
_OWNED = "SELECT datdba = $1::text::regrole FROM pg_database WHERE datname = current_database()"


async def _take_over(connection: Connection) -> list[str]:
    """Make the owner the owner: of a new database, or of one that a superuser has filled until now."""
    found = [row[0] for row in await connection.fetch(_NOT_OURS, [account.role for account in Account])]
    if not await connection.fetchval(_OWNED, Account.OWNER.role):
        found.insert(0, f"DATABASE {await connection.fetchval(_DATABASE)}")
    for one in found:
        await connection.execute(f"ALTER {one} OWNER TO {Account.OWNER.role}")
    return found
