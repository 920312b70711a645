"""Rules on the ingest path: every batch of new readings is evaluated once, in the batch's own transaction.

A batch consumer in the sense of ingest.commit.consumers; must not know ingest. Nothing of a batch becomes
state before `committed`; a batch that is rolled back changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass

import asyncpg

from devices.columns import Columns
from devices.compiled.part import Functions
from devices.kinds.kind import Kind
from devices.registry.registry import Registry, load
from readings import replay
from rules.catalogue import catalogue
from rules.catalogue.catalogue import ActiveRules
from rules.engine import snapshot
from rules.engine.evaluate import Step
from rules.engine.ruleset import RuleFailure, RuleSet, SavedAt, build_ruleset
from rules.engine.state import RuleState, StateChanges
from rules.live import checkpoints, rhythm, stored
from rules.live.isolation import evaluate
from rules.maintenance import spans
from store.connection import Connection
from store.failures import is_outage


@dataclass(slots=True, kw_only=True)
class _Pending:
    """What a batch did to one kind, to be adopted with its commit. skip, failures: as before the batch.

    paces: of devices whose pace is another than before, by id.
    """

    state: RuleState
    changes: StateChanges
    pieces: Mapping[int, SavedAt]
    checkpoint_at: int | None
    seen: int
    skip: set[str]
    failures: list[RuleFailure]
    paces: Mapping[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foreseen:
    """The result of a step over `rows`, computed before `consume` is called with them."""

    rows: Columns
    result: Step


class LiveRules:
    """All stream rules of one shard.

    `load`, then for each batch `foresee` if possible, `consume` in its transaction, and `committed` or
    `rolled_back` after it; `reload` between batches.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        functions: Functions | None = None,
        *,
        checkpoint_every_us: int = checkpoints.EVERY_US,
    ) -> None:
        """functions: compiled ones of the past, once there are some; None: never."""
        self._kinds = kinds
        self._functions: Functions = {} if functions is None else functions
        self._every_us = checkpoint_every_us
        self._shard = ""
        self._rulesets: dict[str, RuleSet] = {}
        self._pending: dict[str, _Pending] = {}
        self._unusable: dict[tuple[str, int], str] = {}
        self._foreseen: dict[str, _Foreseen] = {}
        self._paces: dict[str, dict[int, float]] = {}

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        """Continue after the last committed batch; writes nothing.

        State is the last checkpoint moved over the readings received since; their transitions are
        recorded already.
        """
        self._shard = shard
        self._pending, self._foreseen = {}, {}
        active, self._rulesets = await self._build(connection, registry)
        for name, ruleset in self._rulesets.items():
            known = await checkpoints.resume(connection, shard, name, ruleset)
            ruleset.catching_up = _missed(active, ruleset, known)
            self._paces[name] = await rhythm.stored_paces(connection, name)
            snapshot.agree(ruleset.state, await stored.open_alerts(connection, name))

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        """Take the present rules and registry; a rule that did not change keeps its state. Writes nothing.

        The state of a new version starts from the alerts that are open.
        """
        self._pending, self._foreseen = {}, {}
        active, rulesets = await self._build(connection, registry)
        for name, ruleset in rulesets.items():
            _succeed(self._rulesets[name], ruleset, active)
            snapshot.agree(ruleset.state, await stored.open_alerts(connection, name))
        self._rulesets = rulesets

    @property
    def checkpoints(self) -> Mapping[str, RuleSet]:
        """The rule sets by the name of their checkpoint."""
        return self._rulesets

    async def _build(
        self, connection: Connection, registry: Registry | None
    ) -> tuple[ActiveRules, dict[str, RuleSet]]:
        active = await catalogue.active(connection, self._kinds)
        registry = registry or await load(connection)
        self._unusable = dict(active.unusable)
        resting = await spans.spans(connection, registry)
        rulesets = {
            n: build_ruleset(kind, active.of_kind(n), registry, resting, self._functions)
            for n, kind in self._kinds.items()
        }
        return active, rulesets

    def foresee(self, columns: Columns) -> None:
        """Evaluate the rows that `consume` will most likely be given, while the server stores them."""
        name = columns.kind.name
        with suppress(Exception):  # `consume` raises the same again and handles it
            ruleset = self._rulesets[name]
            if ruleset.program.rules and not ruleset.catching_up:
                result = ruleset.step(columns)
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
            ruleset = self._rulesets[rows.kind.name]
            if len(rows) and ruleset.program.rules:
                await self._consume_kind(connection, batch, ruleset, rows, now)

    async def _consume_kind(
        self, connection: Connection, batch: int, ruleset: RuleSet, rows: Columns, now: int
    ) -> None:
        name = rows.kind.name
        if name in self._pending:
            raise ValueError(f"two sets of {name} rows in one batch, or the last batch was never settled")
        skip, failures = set(ruleset.skip), list(ruleset.failures)
        try:
            state = await self._caught_up(connection, ruleset, int(rows.received_at.min()), now)
            foreseen = self._foreseen.pop(name, None)
            result = foreseen.result if foreseen is not None and foreseen.rows is rows else None
            changes = await evaluate(connection, ruleset, state, rows, now, result)
            paces = await rhythm.keep_paces(connection, self._paces.get(name, {}), changes.paced, now)
            for failure in ruleset.failures:
                await catalogue.mark_broken(
                    connection, failure.rule, failure.version, failure.since, failure.reason
                )
            pieces, checkpoint_at = ruleset.pieces, ruleset.checkpoint_at
            # One kind a batch if possible: saving all kinds in one batch would delay it and all behind it.
            saved = any(pending.checkpoint_at == now for pending in self._pending.values())
            times = 2 if saved else 1
            if wanted := checkpoints.wanted(ruleset, state, rows, now, self._every_us, times):
                checkpoint_at = now
                pieces = await checkpoints.save(
                    connection, self._shard, name, batch, ruleset, state, changes, rows, wanted
                )
        except BaseException:
            ruleset.skip, ruleset.failures = skip, failures
            raise
        self._pending[name] = _Pending(
            state=state,
            changes=changes,
            pieces=pieces,
            checkpoint_at=checkpoint_at,
            seen=max(ruleset.seen, int(rows.received_at.max())),
            skip=skip,
            failures=failures,
            paces=paces,
        )

    async def _caught_up(self, connection: Connection, ruleset: RuleSet, before: int, now: int) -> RuleState:
        """Return the state, or a copy in which mended rules have evaluated the readings they missed."""
        if not ruleset.catching_up:
            return ruleset.state
        state = ruleset.state.copy()
        alerts = await stored.open_alerts(connection, ruleset.program.kind.name)
        for rule, since in ruleset.catching_up.items():
            alone = ruleset.alone(rule)
            snapshot.agree(alone.state, alerts)
            try:
                async with connection.transaction():
                    await self._catch_up(connection, alone, since, before, now)
            except Exception as error:
                # More missed readings than one statement's time allows must not stop ingest either.
                if is_outage(error) and not isinstance(error, asyncpg.QueryCanceledError):
                    raise
                alone.fail(rule, since, f"could not catch up: {error}")
            ruleset.skip |= alone.skip
            ruleset.failures += alone.failures
            snapshot.carry(snapshot.take(alone.state), state)
        return state

    async def _catch_up(
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
            ruleset = self._rulesets[name]
            ruleset.state = pending.state
            ruleset.state.adopt(pending.changes)
            self._paces.setdefault(name, {}).update(pending.paces)
            if pending.pieces is not ruleset.pieces:
                ruleset.pieces, ruleset.checkpoint_at = pending.pieces, pending.checkpoint_at
                ruleset.renewed = False
            ruleset.seen = pending.seen
            ruleset.failures = []
            ruleset.catching_up = {}
        self._pending, self._foreseen = {}, {}

    def rolled_back(self) -> None:
        """Drop what `consume` computed."""
        for name, pending in self._pending.items():
            self._rulesets[name].skip, self._rulesets[name].failures = pending.skip, pending.failures
        self._pending, self._foreseen = {}, {}


def _succeed(before: RuleSet, after: RuleSet, active: ActiveRules) -> None:
    """Copy what stays valid from one rule set of a kind to the next."""
    known = checkpoints.carry_over(before, after)
    ids = {rule.rule.id: rule.rule.version for rule in after.program.rules}
    still = {rule for rule, version in known if ids.get(rule) == version}
    after.skip = before.skip & still
    after.failures = [f for f in before.failures if f.rule in still]
    after.catching_up = {r: at for r, at in before.catching_up.items() if r in still}
    after.catching_up |= _missed(active, after, known)


def _missed(active: ActiveRules, ruleset: RuleSet, known: set[tuple[str, int]]) -> dict[str, int]:
    """Return since when mended rules have missed readings: new versions of ones that broke."""
    return {
        rule.rule.id: active.broken_since[rule.rule.id]
        for rule in ruleset.program.rules
        if rule.rule.id in active.broken_since and (rule.rule.id, rule.rule.version) not in known
    }
