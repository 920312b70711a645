"""Changes of rules by people: apply, enable, disable; each leaves a row that says who and when.

Versions are the catalogue's; here are the author, the audit, the check that the rule was not changed
meanwhile, and the end of open alerts. Must not know files or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime
from devices.kinds.kind import Kind
from devices.registry.errors import Conflict, NotFound
from devices.registry.generation import advance
from rules.catalogue import catalogue, changes
from rules.catalogue.catalogue import ApplyResult
from rules.catalogue.changes import RuleAction
from rules.definition.definition import Definition
from rules.loading.files import parse_stored
from store.audit import Actor
from store.connection import Connection

LOCK = "LOCK TABLE rule IN SHARE ROW EXCLUSIVE MODE"

_NEWEST = "SELECT max(version) FROM rule WHERE id = $1"


async def newest(connection: Connection, rule: str) -> int:
    """Return the number of a rule's newest version, 0 when there is none."""
    return await connection.fetchval(_NEWEST, rule) or 0


async def apply(
    connection: Connection,
    definitions: Sequence[Definition],
    *,
    by: Actor,
    now: int,
    remove_others: bool = False,
) -> ApplyResult:
    """Make definitions the active rules, all or none, and record the author.

    A changed rule is a new version and keeps its open alerts; those of removed rules end.

    Args:
        by: who.
        now: microseconds since 1970-01-01Z.
        remove_others: take active rules that are not among them out of force.
    """
    async with connection.transaction():
        applied = await catalogue.apply(connection, definitions, now, remove_others=remove_others)
        await note(connection, [*applied.added, *applied.changed], "applied", by=by, now=now)
        await note(connection, applied.removed, "disabled", by=by, now=now)
        await _end_alerts(connection, applied.removed, by, now)
    return applied


async def put(
    connection: Connection, definition: Definition, *, by: Actor, now: int, version: int | None
) -> ApplyResult:
    """Make one definition the active rule of its id.

    Args:
        version: the newest version that the author has seen, 0 for none; None if that does not matter.

    Raises:
        Conflict: there is a newer version.
    """
    async with connection.transaction():
        await connection.execute(LOCK)
        present = await newest(connection, definition.id)
        if version is not None and version != present:
            raise Conflict(f"rule {definition.id} is at version {present}, not {version}: read it again")
        return await apply(connection, [definition], by=by, now=now)


_LAST = """
SELECT version, active, definition
FROM rule
WHERE id = $1 AND family <> 'external'
ORDER BY version DESC LIMIT 1
"""


async def enable(connection: Connection, kinds: Mapping[str, Kind], rule: str, *, by: Actor, now: int) -> int:
    """Put the last version of a rule back into force, as a new version, and return its number.

    Raises:
        NotFound: no rule has this id.
        rules.definition.errors.RulesRefused: this program does not understand it any more.
    """
    async with connection.transaction():
        await connection.execute(LOCK)
        last = await _last(connection, rule)
        if last["active"]:
            return int(last["version"])
        definitions = [parse_stored(last["definition"], kinds)]
        # A new version: readings that the rule missed while it was out of force are not evaluated.
        await catalogue.apply(connection, definitions, now)
        await note(connection, [rule], "enabled", by=by, now=now)
        return int((await _last(connection, rule))["version"])


_DISABLE = "UPDATE rule SET active = false WHERE id = $1 AND active RETURNING version"


async def disable(connection: Connection, rule: str, *, by: Actor, now: int) -> int:
    """Take a rule out of force, end its open alerts, and return how many there were.

    Raises:
        NotFound: no rule has this id.
    """
    async with connection.transaction():
        await connection.execute(LOCK)
        await _last(connection, rule)
        if await connection.fetchval(_DISABLE, rule) is None:
            return 0
        # Before the alerts end: every later batch waits for this transaction, and then has the rule no more.
        await advance(connection)
        await note(connection, [rule], "disabled", by=by, now=now)
        return await _end_alerts(connection, [rule], by, now)


async def _last(connection: Connection, rule: str) -> asyncpg.Record:
    row = await connection.fetchrow(_LAST, rule)
    if row is None:
        raise NotFound("rule", rule, "`nabd rule list --all` shows them")
    return row


_NOTE = """
INSERT INTO rule_change (rule, version, action, author_id, changed_at)
SELECT asked.rule, (SELECT max(version) FROM rule WHERE rule.id = asked.rule), $2, $3, $4
FROM unnest($1::text []) AS asked (rule)
"""


async def note(
    connection: Connection, rules: Sequence[str], action: RuleAction, *, by: Actor, now: int
) -> None:
    """Record who did what to rules, in their history and in the audit.

    In the transaction that does it, after it has advanced the generation: whoever changes rules locks in this
    order.
    """
    await connection.execute(_NOTE, list(rules), action, by.principal, to_datetime(now))
    await changes.record(connection, rules, action, by=by, now=now)


_OPEN = """
SELECT rule, rule_version, device_id, severity FROM alert
WHERE rule = ANY($1::text []) AND state = 'firing'
ORDER BY id
"""


async def _end_alerts(connection: Connection, rules: Sequence[str], by: Actor, now: int) -> int:
    """Resolve the alerts of rules that are evaluated no more: they would never end."""
    if not rules:
        return 0
    transitions = [
        Transition(
            rule=row["rule"],
            version=row["rule_version"],
            device_id=row["device_id"],
            from_state=ConditionState.FIRING,
            to_state=ConditionState.RESOLVED,
            severity=Severity(row["severity"]),
            observed_at=now,
            received_at=now,
            evidence={"condition": "the rule was taken out of force", "author_id": by.principal},
        )
        for row in await connection.fetch(_OPEN, list(rules))
    ]
    return await record(connection, transitions, lambda _: {}, now)
