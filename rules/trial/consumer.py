"""Rules on trial, beside the live ones: the same evaluator in the same transaction, but without alerts.

A batch consumer in the sense of ingest.commit.consumers; must not know ingest. A shadow that fails harms
neither the batch nor a live rule: it is marked broken and left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.columns import Columns
from devices.compiled.part import Functions
from devices.kinds.kind import Kind
from devices.registry.registry import Registry, load
from rules.engine import snapshot
from rules.engine.evaluate import RuleFailed
from rules.engine.ruleset import RuleSet, SavedAt, build_ruleset
from rules.engine.state import StateChanges
from rules.live import checkpoints
from rules.maintenance import spans
from rules.trial import shadows
from store.connection import Connection
from store.failures import is_outage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    """What a batch did to the shadows of one kind, to be adopted with its commit."""

    changes: StateChanges | None
    pieces: Mapping[int, SavedAt]
    checkpoint_at: int | None
    seen: int
    skip: frozenset[str]


class ShadowRules:
    """All shadows of one shard; used like LiveRules."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        functions: Functions | None = None,
        *,
        checkpoint_every_us: int = checkpoints.EVERY_US,
    ) -> None:
        self._kinds = kinds
        self._functions: Functions = {} if functions is None else functions
        self._every_us = checkpoint_every_us
        self._shard = ""
        self._rulesets: dict[str, RuleSet] = {}
        self._pending: dict[str, _Pending] = {}

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        """Continue after the last committed batch; writes nothing."""
        self._shard = shard
        self._pending = {}
        self._rulesets = await self._build(connection, registry)
        for name, ruleset in self._rulesets.items():
            await checkpoints.resume(connection, shard, _checkpoint_name(name), ruleset)
            snapshot.agree(ruleset.state, await shadows.firing(connection, name))

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        """Take the present shadows and registry; one that did not change keeps its state. Writes nothing."""
        self._pending = {}
        rulesets = await self._build(connection, registry)
        for name, ruleset in rulesets.items():
            before = self._rulesets.get(name)
            if before is not None:
                checkpoints.carry_over(before, ruleset)
            snapshot.agree(ruleset.state, await shadows.firing(connection, name))
        self._rulesets = rulesets

    @property
    def checkpoints(self) -> Mapping[str, RuleSet]:
        """The rule sets by the name of their checkpoint."""
        return {_checkpoint_name(name): ruleset for name, ruleset in self._rulesets.items()}

    async def _build(self, connection: Connection, registry: Registry | None) -> dict[str, RuleSet]:
        """Return a rule set per kind that has shadows; without any, nothing more is read."""
        rules = await shadows.usable(connection, self._kinds)
        if not any(rules.values()):
            return {}
        registry = registry or await load(connection)
        resting = await spans.spans(connection, registry)
        return {
            n: build_ruleset(self._kinds[n], mine, registry, resting, self._functions)
            for n, mine in rules.items()
            if mine
        }

    def foresee(self, columns: Columns) -> None:
        """Do nothing: shadows are few, and what they do is not urgent."""

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Evaluate the new rows of a batch inside its transaction.

        Args:
            connection: inside the transaction that stores the rows.
            batch: its number.
            columns: new rows in arrival order, at most one entry per kind.
            now: microseconds since 1970-01-01Z.
        """
        for rows in columns:
            ruleset = self._rulesets.get(rows.kind.name)
            if ruleset is not None and len(rows):
                await self._consume_kind(connection, batch, ruleset, rows, now)

    async def _consume_kind(
        self, connection: Connection, batch: int, ruleset: RuleSet, rows: Columns, now: int
    ) -> None:
        skip = frozenset(ruleset.skip)
        while True:
            try:
                async with connection.transaction():
                    changes, pieces = await self._attempt(connection, batch, ruleset, rows, now)
                break
            except RuleFailed as failed:
                ruleset.skip.add(failed.rule)
                await shadows.mark_broken(connection, _number(ruleset, failed.rule), str(failed), now)
            except Exception as error:
                # Whatever a shadow raises harms neither the readings nor the live rules.
                if is_outage(error):
                    ruleset.skip = set(skip)
                    raise
                await self._break_all(connection, ruleset, f"{type(error).__name__}: {error}", now)
                changes, pieces = None, ruleset.pieces
                break
        self._pending[rows.kind.name] = _Pending(
            changes=changes,
            pieces=pieces,
            checkpoint_at=ruleset.checkpoint_at if pieces is ruleset.pieces else now,
            seen=max(ruleset.seen, int(rows.received_at.max())),
            skip=skip,
        )

    async def _attempt(
        self, connection: Connection, batch: int, ruleset: RuleSet, rows: Columns, now: int
    ) -> tuple[StateChanges, Mapping[int, SavedAt]]:
        result = ruleset.step(rows)
        if result.transitions:
            await shadows.record(connection, result.transitions, now)
        pieces, state = ruleset.pieces, ruleset.state
        if wanted := checkpoints.wanted(ruleset, state, rows, now, self._every_us):
            name = _checkpoint_name(rows.kind.name)
            pieces = await checkpoints.save(
                connection, self._shard, name, batch, ruleset, state, result.changes, rows, wanted
            )
        return result.changes, pieces

    async def _break_all(self, connection: Connection, ruleset: RuleSet, reason: str, now: int) -> None:
        for rule in ruleset.program.rules:
            if rule.rule.id not in ruleset.skip:
                ruleset.skip.add(rule.rule.id)
                await shadows.mark_broken(connection, rule.rule.version, reason, now)

    def committed(self) -> None:
        """Make what `consume` computed the state."""
        for name, pending in self._pending.items():
            ruleset = self._rulesets[name]
            if pending.changes is not None:
                ruleset.state.adopt(pending.changes)
            if pending.pieces is not ruleset.pieces:
                ruleset.pieces, ruleset.checkpoint_at = pending.pieces, pending.checkpoint_at
                ruleset.renewed = False
            ruleset.seen = pending.seen
        self._pending = {}

    def rolled_back(self) -> None:
        """Drop what `consume` computed."""
        for name, pending in self._pending.items():
            self._rulesets[name].skip = set(pending.skip)
        self._pending = {}


def _checkpoint_name(kind: str) -> str:
    """Return the name of the checkpoint of a kind's shadows; no kind has such a name."""
    return f"{kind}/shadow"


def _number(ruleset: RuleSet, rule: str) -> int:
    return next(r.rule.version for r in ruleset.program.rules if r.rule.id == rule)
