"""Rules on the ingest path: every batch of new readings is evaluated once, in the batch's own transaction.

It is what ingest calls a batch consumer, without knowing ingest. Nothing of a batch becomes state before
`committed`; a batch that is rolled back leaves no trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

import asyncpg

from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import load
from readings import replay
from rules.catalogue import catalogue
from rules.catalogue.catalogue import Active
from rules.engine import snapshot
from rules.engine.evaluate import Step, step
from rules.engine.ruleset import RuleFailure, RuleSet, build_ruleset
from rules.engine.state import RuleState, StateChanges
from rules.live import checkpoints, stored
from rules.live.isolation import evaluate
from rules.maintenance import spans
from store.connection import Connection
from store.failures import is_outage

CHECKPOINT_EVERY_US = 60_000_000


@dataclass(slots=True, kw_only=True)
class _Pending:
    """What a batch did to one kind; becomes true with its commit. skip: as it was before the batch."""

    state: RuleState
    changes: StateChanges
    checkpoint_at: int | None
    seen: int
    skip: set[str]
    failures: list[RuleFailure]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """What a step over `rows` came to, before `consume` was called with them."""

    rows: Columns
    result: Step


class LiveRules:
    """All stream rules of one shard.

    `load`, then for each batch `foresee` if possible, `consume` in its transaction, and `committed` or
    `rolled_back` after it; `reload` between batches.
    """

    def __init__(self, kinds: Mapping[str, Kind], *, checkpoint_every_us: int = CHECKPOINT_EVERY_US) -> None:
        self._kinds = kinds
        self._every_us = checkpoint_every_us
        self._shard = ""
        self._units: dict[str, RuleSet] = {}
        self._pending: dict[str, _Pending] = {}
        self._unusable: dict[tuple[str, int], str] = {}
        self._foreseen: dict[str, _Foreseen] = {}

    async def load(self, connection: Connection, shard: str) -> None:
        """Take up where the last committed batch left off; writes nothing.

        State is the last checkpoint moved over the readings received since; their transitions are
        recorded already.
        """
        self._shard = shard
        self._pending, self._foreseen = {}, {}
        active, self._units = await self._build(connection)
        for name, unit in self._units.items():
            known = await checkpoints.resume(connection, shard, name, unit)
            unit.catching_up = _missed(active, unit, known)
            snapshot.agree(unit.state, await stored.open_alerts(connection, name))

    async def reload(self, connection: Connection) -> None:
        """Take the present rules and registry; a rule that did not change keeps its state. Writes nothing.

        The state of a new version starts from the alerts that are open.
        """
        self._pending, self._foreseen = {}, {}
        active, units = await self._build(connection)
        for name, unit in units.items():
            _succeed(self._units[name], unit, active)
            snapshot.agree(unit.state, await stored.open_alerts(connection, name))
        self._units = units

    async def _build(self, connection: Connection) -> tuple[Active, dict[str, RuleSet]]:
        active = await catalogue.active(connection, self._kinds)
        registry = await load(connection)
        self._unusable = dict(active.unusable)
        resting = await spans.spans(connection, registry)
        units = {
            n: build_ruleset(kind, active.of_kind(n), registry, resting) for n, kind in self._kinds.items()
        }
        return active, units

    def foresee(self, columns: Columns) -> None:
        """Evaluate the rows that `consume` will most likely be given, while the server takes them."""
        name = columns.kind.name
        with suppress(Exception):  # `consume` meets the same, and knows what to do about it
            unit = self._units[name]
            if unit.program.rules and not unit.catching_up:
                result = step(unit.program, unit.state, columns, unit.attributes, unit.skip)
                self._foreseen[name] = _Foreseen(rows=columns, result=result)

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Evaluate the new rows of a batch inside its transaction.

        Args:
            connection: inside the transaction that stores the rows.
            batch: its number.
            columns: new rows in arrival order, at most one entry per kind.
            now: microseconds since 1970-01-01Z.
        """
        for (rule, version), reason in self._unusable.items():
            await catalogue.mark_broken(connection, rule, version, now, reason)
        for rows in columns:
            unit = self._units[rows.kind.name]
            if len(rows) and unit.program.rules:
                await self._consume_kind(connection, batch, unit, rows, now)

    async def _consume_kind(
        self, connection: Connection, batch: int, unit: RuleSet, rows: Columns, now: int
    ) -> None:
        name = rows.kind.name
        if name in self._pending:
            raise ValueError(f"two sets of {name} rows in one batch, or the last batch was never settled")
        skip, failures = set(unit.skip), list(unit.failures)
        try:
            state = await self._caught_up(connection, unit, int(rows.received_at.min()), now)
            foreseen = self._foreseen.pop(name, None)
            result = foreseen.result if foreseen is not None and foreseen.rows is rows else None
            changes = await evaluate(connection, unit, state, rows, now, result)
            for failure in unit.failures:
                await catalogue.mark_broken(
                    connection, failure.rule, failure.version, failure.since, failure.reason
                )
            checkpoint_at = unit.checkpoint_at
            # Readings adopted from quarantine keep their old receive time: a restart would not replay them.
            adopted = int(rows.received_at.min()) <= unit.seen
            # One kind a batch: one that keeps the state of all would be late, and everything behind it.
            kept = any(pending.checkpoint_at == now for pending in self._pending.values())
            patience_us = self._every_us * (2 if kept else 1)
            if checkpoint_at is None or adopted or now - checkpoint_at >= patience_us:
                checkpoint_at = now
                await checkpoints.save(connection, self._shard, name, batch, state, changes, rows)
        except BaseException:
            unit.skip, unit.failures = skip, failures
            raise
        self._pending[name] = _Pending(
            state=state,
            changes=changes,
            checkpoint_at=checkpoint_at,
            seen=max(unit.seen, int(rows.received_at.max())),
            skip=skip,
            failures=failures,
        )

    async def _caught_up(self, connection: Connection, unit: RuleSet, before: int, now: int) -> RuleState:
        """Return the unit's state, or a copy in which mended rules have made up for what they missed."""
        if not unit.catching_up:
            return unit.state
        state = unit.state.copy()
        alerts = await stored.open_alerts(connection, unit.program.kind.name)
        for rule, since in unit.catching_up.items():
            alone = unit.alone(rule)
            snapshot.agree(alone.state, alerts)
            try:
                async with connection.transaction():
                    await self._make_up(connection, alone, since, before, now)
            except Exception as error:
                # Too much to make up within one statement's time must not stop ingest either.
                if is_outage(error) and not isinstance(error, asyncpg.QueryCanceledError):
                    raise
                alone.fail(rule, since, f"could not catch up: {error}")
            unit.skip |= alone.skip
            unit.failures += alone.failures
            snapshot.carry(snapshot.take(alone.state), state)
        return state

    async def _make_up(
        self, connection: Connection, alone: RuleSet, since: int, before: int, now: int
    ) -> None:
        oldest = await stored.oldest_since(connection, self._shard, since)
        if oldest is None:
            return
        missed = replay.arriving(
            connection, alone.program.kind, oldest=oldest, after=since - 1, before=before
        )
        async with aclosing(missed):
            async for columns in missed:
                alone.state.adopt(await evaluate(connection, alone, alone.state, columns, now))
                if alone.skip:
                    return

    def committed(self) -> None:
        """Make what `consume` computed the state."""
        self._unusable = {}
        for name, pending in self._pending.items():
            unit = self._units[name]
            unit.state = pending.state
            unit.state.adopt(pending.changes)
            unit.checkpoint_at = pending.checkpoint_at
            unit.seen = pending.seen
            unit.failures = []
            unit.catching_up = {}
        self._pending, self._foreseen = {}, {}

    def rolled_back(self) -> None:
        """Forget what `consume` computed."""
        for name, pending in self._pending.items():
            self._units[name].skip, self._units[name].failures = pending.skip, pending.failures
        self._pending, self._foreseen = {}, {}


def _succeed(before: RuleSet, after: RuleSet, active: Active) -> None:
    """Hand what stays valid from one unit of a kind to the next."""
    past = snapshot.take(before.state)
    snapshot.carry(past, after.state)
    ids = {rule.rule.id: rule.rule.version for rule in after.program.rules}
    still = {rule for rule, version, *_ in past.rules if ids.get(rule) == version}
    after.skip = before.skip & still
    after.failures = [f for f in before.failures if f.rule in still]
    after.catching_up = {r: at for r, at in before.catching_up.items() if r in still}
    after.catching_up |= _missed(active, after, {rule[:2] for rule in past.rules})
    same = past.rules == tuple(snapshot.identity(rule) for rule in after.program.rules)
    after.checkpoint_at = before.checkpoint_at if same else None
    after.seen = before.seen


def _missed(active: Active, unit: RuleSet, known: set[tuple[str, int]]) -> dict[str, int]:
    """Return since when mended rules have missed readings: new versions of ones that broke."""
    return {
        rule.rule.id: active.broken_since[rule.rule.id]
        for rule in unit.program.rules
        if rule.rule.id in active.broken_since and (rule.rule.id, rule.rule.version) not in known
    }
