"""What the platform makes of messages: acceptance, then stream rules, as in ingest but with nothing stored.

The same functions as in service (ingest.decide, rules.engine); the table's unique key is
played by a set of the keys seen lately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from bench.rules.life import Message
from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import Registry
from devices.wire import Decoder
from ingest.broker.intake import Intake
from ingest.decide.batch import decide
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.decide.last_values import LastValues
from rules.definition.definition import Definition
from rules.engine.evaluate import Step, step
from rules.engine.ruleset import RuleSet, build_ruleset
from rules.language.program import Rule

RETENTION_US = 400 * 86_400_000_000
_INSTANT_BITS = 51


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An alert opened. `opened_at`: event time in microseconds; `received_at`: of the reading that did it."""

    rule: str
    device: str
    opened_at: int
    received_at: int = 0


class Platform:
    """Acceptance and rules of one group of devices."""

    def __init__(self, kinds: Mapping[str, Kind], registry: Registry, rules: Sequence[Definition]) -> None:
        self._directory = Directory(registry, kinds)
        self._decoders = {name: Decoder(kind) for name, kind in kinds.items()}
        self._offsets = Offsets()
        self._last_values = {name: LastValues(kind) for name, kind in kinds.items()}
        self._registry = registry
        live = [Rule(definition=rule, version=1) for rule in rules]
        self._units: dict[str, RuleSet] = {
            name: build_ruleset(kind, _stream(live, name), registry) for name, kind in kinds.items()
        }
        self._recent: list[NDArray[np.int64]] = []
        self._received = 0
        self.readings = 0
        self.on_accepted: Callable[[Columns, NDArray[np.int64], Sequence[Transition]], None] = _nobody

    def take(self, messages: Sequence[Message]) -> Iterator[Opening]:
        """Accept and judge messages in the order of their arrival; yield the alerts that opened."""
        for kind, columns in self.accept(messages):
            made = self._step(kind, columns)
            self.on_accepted(columns, made.interval_us, made.transitions)
            for transition in made.transitions:
                if transition.opens:
                    yield Opening(
                        rule=transition.rule,
                        device=self._registry.devices[transition.device_id].name,
                        opened_at=transition.observed_at,
                        received_at=transition.received_at,
                    )

    def accept(self, messages: Sequence[Message]) -> Iterator[tuple[str, Columns]]:
        """Yield what would be stored, by kind."""
        if not messages:
            return
        intake = self._intake(messages)
        batch = decide(intake, self._directory, self._decoders, self._offsets, RETENTION_US)
        self._offsets.adopt(batch.learnt)
        for kind, accepted in batch.accepted.items():
            columns = accepted.columns
            columns.quality = self._last_values[kind].judge(columns)
            columns = self._new(columns)
            self.readings += len(columns)
            yield kind, columns

    def _intake(self, messages: Sequence[Message]) -> Intake:
        """Give every message a receive time of its own, as ingest does."""
        count = np.arange(len(messages), dtype=np.int64)
        told = np.fromiter((m.received_at for m in messages), dtype=np.int64, count=len(messages))
        received = np.maximum(np.maximum.accumulate(told - count), self._received + 1) + count
        self._received = int(received[-1])
        return Intake(
            topics=[m.topic for m in messages],
            payloads=[m.payload for m in messages],
            received_at=received,
            packet_ids=[],
            connection=None,
        )

    def _new(self, columns: Columns) -> Columns:
        """Return the rows whose key was not seen in the last batches: the others are not stored again."""
        keys = (columns.device_id.astype(np.int64) << _INSTANT_BITS) | columns.observed_at
        known = (
            np.isin(keys, np.concatenate(self._recent)) if self._recent else np.zeros(len(keys), dtype=bool)
        )
        self._recent = [*self._recent[-3:], keys]
        return columns.take(~known) if known.any() else columns

    def judge(self, kind: str, columns: Columns) -> tuple[Transition, ...]:
        """Step the stream rules of a kind over new readings, as if their batch was committed."""
        return self._step(kind, columns).transitions

    def _step(self, kind: str, columns: Columns) -> Step:
        unit = self._units[kind]
        made = step(unit.program, unit.state, columns, unit.attributes)
        unit.state.adopt(made.changes)
        return made


def _nobody(columns: Columns, interval_us: NDArray[np.int64], transitions: Sequence[Transition]) -> None:
    """Nobody else wants to know."""


def _stream(rules: Sequence[Rule], kind: str) -> list[Rule]:
    return [r for r in rules if r.definition.levels and r.definition.kind in (None, kind)]
