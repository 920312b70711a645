"""What accounts may do, brought to what the table says; accounts that are not there are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nabd.accounts.grants import Account, TableGrant, grants_on, owned
from store.connection import Connection
from store.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChanges:
    """What was changed: statements, in the order in which they ran."""

    statements: tuple[str, ...] = ()


async def reconcile(connection: Connection, tables: Sequence[Table]) -> GrantChanges:
    """Give each account what it is to have and take the rest; as owner of the tables, in one transaction.

    Processes that run see the old rights or the new ones, never some of both.
    """
    there = await _roles(connection)
    if not there:
        return GrantChanges()
    async with connection.transaction():
        statements = [*await _of_database(connection, there), *await _ownership(connection, tables, there)]
        for statement in statements:
            await connection.execute(statement)
        wanted = {grant for grant in grants_on(tables) if grant.role in there}
        stored = await _stored(connection, there)
        changed = [_revoke(grant) for grant in sorted(stored - wanted)]
        changed += [_grant(grant) for grant in sorted(wanted - stored)]
        for statement in changed:
            await connection.execute(statement)
    return GrantChanges(statements=(*statements, *changed))


_ROLES = "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text [])"


async def _roles(connection: Connection) -> set[str]:
    names = [account.role for account in Account if account is not Account.OWNER]
    return {row["rolname"] for row in await connection.fetch(_ROLES, names)}


_TEMPORARY = "SELECT has_database_privilege($1, current_database(), 'TEMPORARY')"
_CREATE = "SELECT has_schema_privilege($1, 'public', 'CREATE')"
_DATABASE = "SELECT quote_ident(current_database())"


async def _of_database(connection: Connection, there: set[str]) -> list[str]:
    """Ingest merges repeats by way of a temporary table; who owns tables makes partitions of them."""
    found = []
    ingest, sweep = Account.INGEST.role, Account.SWEEP.role
    if ingest in there and not await connection.fetchval(_TEMPORARY, ingest):
        found.append(f"GRANT TEMPORARY ON DATABASE {await connection.fetchval(_DATABASE)} TO {ingest}")
    if sweep in there and not await connection.fetchval(_CREATE, sweep):
        found.append(f"GRANT CREATE ON SCHEMA public TO {sweep}")
    return found


# A partition does not follow the table that it is part of.
_OTHERS_OWN = """
SELECT c.relname
FROM pg_class AS c
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relowner <> $2::text::regrole
    AND (
        c.relname = $1
        OR EXISTS (
            SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.oid AND i.inhparent = to_regclass($1)
        )
    )
ORDER BY c.relname
"""


async def _ownership(connection: Connection, tables: Sequence[Table], there: set[str]) -> list[str]:
    found = []
    for table, account in owned(tables).items():
        if account.role in there:
            rows = await connection.fetch(_OTHERS_OWN, table, account.role)
            found += [f"ALTER TABLE {row['relname']} OWNER TO {account.role}" for row in rows]
    return found


_STORED = """
SELECT c.relname AS relation, r.rolname AS role, acl.privilege_type AS privilege, '' AS column
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
INNER JOIN pg_roles AS r ON acl.grantee = r.oid
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND acl.grantee <> c.relowner AND r.rolname = ANY($1::text [])
UNION ALL
SELECT c.relname, r.rolname, acl.privilege_type, a.attname
FROM pg_class AS c
INNER JOIN pg_attribute AS a ON c.oid = a.attrelid
CROSS JOIN LATERAL aclexplode(a.attacl) AS acl
INNER JOIN pg_roles AS r ON acl.grantee = r.oid
WHERE
    c.relnamespace = 'public'::regnamespace AND acl.grantee <> c.relowner
    AND r.rolname = ANY($1::text [])
"""


async def _stored(connection: Connection, there: set[str]) -> set[TableGrant]:
    return {TableGrant(**row) for row in await connection.fetch(_STORED, sorted(there))}


def _grant(grant: TableGrant) -> str:
    return f"GRANT {_privilege(grant)} ON {_named(grant)} TO {grant.role}"


def _revoke(grant: TableGrant) -> str:
    return f"REVOKE {_privilege(grant)} ON {_named(grant)} FROM {grant.role}"


def _privilege(grant: TableGrant) -> str:
    return f'{grant.privilege} ("{grant.column}")' if grant.column else grant.privilege


def _named(grant: TableGrant) -> str:
    kind = "SEQUENCE " if grant.privilege == "USAGE" else ""
    return f'{kind}"{grant.relation}"'
