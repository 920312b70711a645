"""The rules in force over the past: a batch consumer that keeps what they conclude instead of recording it.

An alert of the past is recorded whole, once it has ended: the present never sees one of them open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from alerts.transition import Transition
from devices.columns import Columns
from devices.kinds.kind import INTERVAL, Kind
from devices.registry.registry import Device, Registry, load
from rules.catalogue import catalogue
from rules.engine.evaluate import RuleFailed, step
from rules.engine.ruleset import RuleSet, build_ruleset
from rules.engine.state import StateChanges
from store.connection import Connection

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PastRules:
    """All stream rules, with a state of their own; `taken` returns what they concluded since."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._rulesets: dict[str, RuleSet] = {}
        self._devices: Mapping[int, Device] = {}
        self._pending: list[tuple[RuleSet, StateChanges]] = []
        self._found: list[Transition] = []
        self._transitions: list[Transition] = []

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        """Take the present rules with a blank state."""
        active = await catalogue.active(connection, self._kinds)
        registry = as_it_was(registry or await load(connection))
        self._devices = registry.devices
        self._rulesets = {n: build_ruleset(k, active.of_kind(n), registry) for n, k in self._kinds.items()}

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        """Keep the rules that the past began with."""

    def foresee(self, columns: Columns) -> None:
        """Compute nothing ahead."""

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Evaluate new rows; a rule that fails is left out from then on."""
        for rows in columns:
            ruleset = self._rulesets[rows.kind.name]
            while len(rows) and ruleset.program.rules:
                try:
                    result = step(ruleset.program, ruleset.state, rows, ruleset.attributes, ruleset.skip)
                except RuleFailed as error:
                    ruleset.skip.add(error.rule)
                    continue
                self._pending.append((ruleset, result.changes))
                self._found += result.transitions
                break

    def committed(self) -> None:
        """Adopt what was computed."""
        for ruleset, changes in self._pending:
            ruleset.state.adopt(changes)
        self._transitions += self._found
        self._pending, self._found = [], []

    def rolled_back(self) -> None:
        """Drop what was computed."""
        self._pending, self._found = [], []

    def taken(self) -> list[Transition]:
        """Return what was concluded since the last call, in the order of the readings that caused it."""
        found, self._transitions = self._transitions, []
        return sorted(found, key=lambda one: one.received_at)

    def describe(self, transition: Transition) -> Mapping[str, str]:
        """Return a transition's sentence in every language."""
        kind = self.device_kind(transition.device_id)
        return self._rulesets[kind].describe(transition)

    def device_kind(self, device_id: int) -> str:
        """Return the kind of a device by its number."""
        return self._devices[device_id].kind

    def device_name(self, device_id: int) -> str:
        """Return the name of a device by its number."""
        return self._devices[device_id].name


def as_it_was(registry: Registry) -> Registry:
    """Return the registry of the past: everything was there, and reported at its kind's own intervals."""
    devices = {number: _as_it_was(device) for number, device in registry.devices.items()}
    return replace(registry, devices=devices, by_name={d.name: d for d in devices.values()})


def _as_it_was(device: Device) -> Device:
    attributes = {name: value for name, value in device.attributes.items() if name != INTERVAL}
    return replace(device, installed_at=EPOCH, attributes=attributes)
