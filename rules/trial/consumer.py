"""Rules on trial, beside the live ones: the same evaluator in the same transaction, but nobody is alerted.

What ingest calls a batch consumer, without knowing ingest. A shadow that fails harms neither the batch nor
a live rule: it is marked broken and left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import load
from rules.engine import snapshot
from rules.engine.evaluate import RuleFailed, step
from rules.engine.ruleset import RuleSet, build_ruleset
from rules.engine.state import StateChanges
from rules.live import checkpoints
from rules.maintenance import spans
from rules.trial import shadows
from store.connection import Connection
from store.failures import is_outage

CHECKPOINT_EVERY_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """What a batch did to the shadows of one kind; becomes true with its commit."""

    changes: StateChanges | None
    checkpoint_at: int | None
    skip: frozenset[str]


class ShadowRules:
    """All shadows of one shard; used like LiveRules."""

    def __init__(self, kinds: Mapping[str, Kind], *, checkpoint_every_us: int = CHECKPOINT_EVERY_US) -> None:
        self._kinds = kinds
        self._every_us = checkpoint_every_us
        self._shard = ""
        self._units: dict[str, RuleSet] = {}
        self._pending: dict[str, _Pending] = {}

    async def load(self, connection: Connection, shard: str) -> None:
        """Take up where the last committed batch left off; writes nothing."""
        self._shard = shard
        self._pending = {}
        self._units = await self._build(connection)
        for name, unit in self._units.items():
            await checkpoints.resume(connection, shard, _place(name), unit)
            snapshot.agree(unit.state, await shadows.firing(connection, name))

    async def reload(self, connection: Connection) -> None:
        """Take the present shadows and registry; one that did not change keeps its state. Writes nothing."""
        self._pending = {}
        units = await self._build(connection)
        for name, unit in units.items():
            before = self._units.get(name)
            if before is not None:
                past = snapshot.take(before.state)
                snapshot.carry(past, unit.state)
                same = past.rules == tuple(snapshot.identity(rule) for rule in unit.program.rules)
                unit.checkpoint_at = before.checkpoint_at if same else None
            snapshot.agree(unit.state, await shadows.firing(connection, name))
        self._units = units

    async def _build(self, connection: Connection) -> dict[str, RuleSet]:
        """Return a unit per kind that has shadows; most towns have none, and then nothing is read."""
        rules = await shadows.usable(connection, self._kinds)
        if not any(rules.values()):
            return {}
        registry = await load(connection)
        resting = await spans.spans(connection, registry)
        return {
            n: build_ruleset(self._kinds[n], mine, registry, resting) for n, mine in rules.items() if mine
        }

    def foresee(self, columns: Columns) -> None:
        """Do nothing: trials are few, and in no hurry."""

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Evaluate the new rows of a batch inside its transaction.

        Args:
            connection: inside the transaction that stores the rows.
            batch: its number.
            columns: new rows in arrival order, at most one entry per kind.
            now: microseconds since 1970-01-01Z.
        """
        for rows in columns:
            unit = self._units.get(rows.kind.name)
            if unit is not None and len(rows):
                await self._consume_kind(connection, batch, unit, rows, now)

    async def _consume_kind(
        self, connection: Connection, batch: int, unit: RuleSet, rows: Columns, now: int
    ) -> None:
        skip = frozenset(unit.skip)
        while True:
            try:
                async with connection.transaction():
                    changes, checkpoint_at = await self._attempt(connection, batch, unit, rows, now)
                break
            except RuleFailed as failed:
                unit.skip.add(failed.rule)
                await shadows.mark_broken(connection, _number(unit, failed.rule), str(failed), now)
            except Exception as error:
                # Whatever a trial may raise: neither the readings nor the live rules must pay for it.
                if is_outage(error):
                    unit.skip = set(skip)
                    raise
                await self._break_all(connection, unit, f"{type(error).__name__}: {error}", now)
                changes, checkpoint_at = None, unit.checkpoint_at
                break
        self._pending[rows.kind.name] = _Pending(changes=changes, checkpoint_at=checkpoint_at, skip=skip)

    async def _attempt(
        self, connection: Connection, batch: int, unit: RuleSet, rows: Columns, now: int
    ) -> tuple[StateChanges, int | None]:
        result = step(unit.program, unit.state, rows, unit.attributes, unit.skip)
        if result.transitions:
            await shadows.record(connection, result.transitions, now)
        checkpoint_at = unit.checkpoint_at
        if checkpoint_at is None or now - checkpoint_at >= self._every_us:
            checkpoint_at = now
            place = _place(rows.kind.name)
            await checkpoints.save(connection, self._shard, place, batch, unit.state, result.changes, rows)
        return result.changes, checkpoint_at

    async def _break_all(self, connection: Connection, unit: RuleSet, reason: str, now: int) -> None:
        for rule in unit.program.rules:
            if rule.rule.id not in unit.skip:
                unit.skip.add(rule.rule.id)
                await shadows.mark_broken(connection, rule.rule.version, reason, now)

    def committed(self) -> None:
        """Make what `consume` computed the state."""
        for name, pending in self._pending.items():
            unit = self._units[name]
            if pending.changes is not None:
                unit.state.adopt(pending.changes)
            unit.checkpoint_at = pending.checkpoint_at
        self._pending = {}

    def rolled_back(self) -> None:
        """Forget what `consume` computed."""
        for name, pending in self._pending.items():
            self._units[name].skip = set(pending.skip)
        self._pending = {}


def _place(kind: str) -> str:
    """Return under which name the checkpoint of a kind's shadows is kept; no kind has such a name."""
    return f"{kind}/shadow"


def _number(unit: RuleSet, rule: str) -> int:
    return next(r.rule.version for r in unit.program.rules if r.rule.id == rule)
