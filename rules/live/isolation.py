"""A batch's rules, evaluated and recorded so that one bad rule harms only itself.

The ordinary case is one step and, when something changed, one savepoint. When that fails every rule is
tried once more alone; those that fail again are left out, and the batch goes on without them. Rules that
only fail together are left out together: a reading is never refused because of a rule.
"""

from __future__ import annotations

from collections.abc import Collection

from alerts.record import record
from devices.columns import Columns
from rules.engine.evaluate import RuleFailed, Step, step
from rules.engine.ruleset import RuleSet
from rules.engine.state import RuleState, StateChanges
from store.connection import Connection
from store.failures import is_outage


async def evaluate(
    connection: Connection,
    ruleset: RuleSet,
    state: RuleState,
    columns: Columns,
    now: int,
    foreseen: Step | None = None,
) -> StateChanges:
    """Evaluate new rows and record what they change; failed rules are noted in the rule set.

    Args:
        connection: inside the transaction that stores the rows.
        state: the rule set's, or a copy that will become it; not altered.
        now: when the transitions are detected, microseconds since 1970-01-01Z.
        foreseen: the result of the step, if it is computed already.

    Raises:
        Exception: an outage, see store.failures; nothing else.
    """
    try:
        return await _attempt(connection, ruleset, state, columns, now, ruleset.skip, foreseen)
    except Exception as error:
        # Whatever a rule raises, the readings of the batch are still stored.
        if is_outage(error):
            raise
    since = int(columns.received_at.min())
    for rule, reason in (await _failing_alone(connection, ruleset, state, columns, now)).items():
        ruleset.fail(rule, since, reason)
    try:
        return await _attempt(connection, ruleset, state, columns, now, ruleset.skip)
    except Exception as error:
        if is_outage(error):
            raise
        for rule in _every(ruleset) - ruleset.skip:
            ruleset.fail(rule, since, f"fails beside other rules: {error}")
    return await _attempt(connection, ruleset, state, columns, now, ruleset.skip)


async def _attempt(
    connection: Connection,
    ruleset: RuleSet,
    state: RuleState,
    columns: Columns,
    now: int,
    skip: Collection[str],
    foreseen: Step | None = None,
) -> StateChanges:
    result = foreseen or step(ruleset.program, state, columns, ruleset.attributes, skip, ruleset.functions)
    if result.transitions:
        async with connection.transaction():
            await record(connection, result.transitions, ruleset.describe, now)
    return result.changes


async def _failing_alone(
    connection: Connection, ruleset: RuleSet, state: RuleState, columns: Columns, now: int
) -> dict[str, str]:
    """Return the reason of each rule that fails when it is tried alone; the attempts are rolled back."""
    every = _every(ruleset)
    failing: dict[str, str] = {}
    for rule in every - ruleset.skip:
        attempt = connection.transaction()
        await attempt.start()
        try:
            await _attempt(connection, ruleset, state, columns, now, every - {rule})
        except Exception as error:
            if is_outage(error):
                raise
            reason = str(error) if isinstance(error, RuleFailed) else f"{type(error).__name__}: {error}"
            failing[rule] = reason
        finally:
            await attempt.rollback()
    return failing


def _every(ruleset: RuleSet) -> set[str]:
    return {r.rule.id for r in ruleset.program.rules}
