"""Rules of every family tried on the history that is stored, and compared with the live ones. Writes nothing.

What `nabd rule test` and the API do. One pass over the readings of each kind serves all rules that read them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from devices.registry.registry import Registry, get_device, load
from rules.catalogue import catalogue
from rules.definition.definition import Definition
from rules.definition.families import ChildrenDown
from rules.maintenance import spans
from rules.sweeps.arrays.build import reads_kind
from rules.sweeps.arrays.children_down import ChildAlert
from rules.trial.backtest import Backtest, live_episodes
from rules.trial.episodes import Episode
from rules.trial.findings import Findings, findings
from rules.trial.replay import Elapsed, HistoryJudge, Progress, replay_history
from rules.trial.sweep_backtest import SweepBacktest, notes
from store.connection import Connection


@dataclass(slots=True, kw_only=True)
class HistoryPass:
    """One way through the readings of a kind, or of one device of it.

    until: how far it has come, microseconds.
    """

    kind: Kind
    rules: frozenset[str]
    judges: Sequence[HistoryJudge]
    devices: Sequence[int] | None
    start: int
    end: int
    until: int

    async def run(
        self, connection: Connection, elapsed: Elapsed = time.thread_time
    ) -> AsyncIterator[Progress]:
        """Go through the readings and say how far it is; it may be left before its end.

        Raises:
            rules.engine.evaluate.RuleFailed: a rule raised.
        """
        steps = replay_history(
            connection,
            self.judges,
            start=self.start,
            end=self.end,
            devices=self.devices,
            elapsed=elapsed,
        )
        async for progress in steps:
            self.until = progress.until
            yield progress

    @property
    def readings(self) -> int:
        """How many readings were evaluated."""
        return max(judge.readings for judge in self.judges)

    @property
    def evaluation_s(self) -> float:
        """Seconds of one core that judging took."""
        return sum(judge.evaluation_s for judge in self.judges)

    def episodes(self, rule: str) -> tuple[Episode, ...]:
        """Return the alerts that a rule of this pass would have raised."""
        judge = next(j for j in self.judges if rule in j.rules)
        return judge.episodes(rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTrial:
    """Rules on trial over [start, end) of receive time (microseconds). Run every pass, then ask `findings`.

    devices: whose alerts are wanted, None for all.
    """

    definitions: Sequence[Definition]
    registry: Registry
    passes: Sequence[HistoryPass]
    devices: Sequence[int] | None
    start: int
    end: int

    @property
    def until(self) -> int:
        """How far all passes have come, microseconds."""
        return min((one.until for one in self.passes), default=self.end)

    @property
    def readings(self) -> int:
        """How many readings were evaluated."""
        return sum(one.readings for one in self.passes)

    @property
    def evaluation_s(self) -> float:
        """Seconds of one core that judging took."""
        return sum(one.evaluation_s for one in self.passes)

    async def findings(self, connection: Connection) -> list[Findings]:
        """Return what each rule found as far as its passes have come, in the order the rules were given."""
        return [await self._findings(connection, definition) for definition in self.definitions]

    async def _findings(self, connection: Connection, definition: Definition) -> Findings:
        passes = [one for one in self.passes if definition.id in one.rules]
        until = min((one.until for one in passes), default=self.end)
        tried = sorted(
            (e for one in passes for e in one.episodes(definition.id) if self._is_wanted(e)),
            key=lambda e: (e.opened_at, e.device_id),
        )
        live = await live_episodes(
            connection, definition.id, start=self.start, end=until, devices=self.devices
        )
        return findings(
            definition.id,
            tried,
            live,
            {d.id: d.name for d in self.registry.devices.values()},
            start=self.start,
            end=until,
            readings=sum(one.readings for one in passes),
            seen=sum(max(judge.devices for judge in one.judges) for one in passes),
            notes=notes(definition),
        )

    def _is_wanted(self, episode: Episode) -> bool:
        return self.devices is None or episode.device_id in self.devices


async def prepare(
    connection: Connection,
    kinds: Mapping[str, Kind],
    definitions: Sequence[Definition],
    *,
    start: int,
    end: int,
    device: str | None = None,
) -> HistoryTrial:
    """Return rules ready to be tried on what was received in [start, end) (microseconds).

    Args:
        device: only its alerts. Stream rules then read nothing else; sweep rules compare it with the others.

    Raises:
        NotFound: there is no such device.
    """
    devices = None if device is None else [(await get_device(connection, device)).id]
    registry = await load(connection)
    maintenance = await spans.spans(connection, registry, ever=True)
    child_alerts = await _child_alerts(connection, kinds, definitions, start=start, end=end)
    used = {d.kind for d in registry.devices.values()}
    passes: list[HistoryPass] = []
    for kind in kinds.values():
        wanted = [
            d for d in definitions if reads_kind(d, kind.name) and (d.kind is not None or kind.name in used)
        ]
        streams = [d for d in wanted if d.levels]
        sweeps = [d for d in wanted if not d.levels]
        stream: list[HistoryJudge] = []
        swept: list[HistoryJudge] = []
        if streams:
            stream.append(Backtest(kind, streams, registry, maintenance))
        if sweeps:
            alerts = {d.id: child_alerts.get(d.id, ()) for d in sweeps}
            swept.append(SweepBacktest(kind, sweeps, registry, maintenance, start=start, child_alerts=alerts))
        # One device's readings are enough for stream rules, not for what compares it with others.
        ways = [(stream, devices), (swept, None)] if devices is not None else [([*stream, *swept], None)]
        passes += [_pass(kind, judges, own, start, end) for judges, own in ways if judges]
    return HistoryTrial(
        definitions=definitions, registry=registry, passes=passes, devices=devices, start=start, end=end
    )


def _pass(
    kind: Kind,
    judges: Sequence[HistoryJudge],
    devices: Sequence[int] | None,
    start: int,
    end: int,
) -> HistoryPass:
    return HistoryPass(
        kind=kind,
        rules=frozenset[str]().union(*(judge.rules for judge in judges)),
        judges=judges,
        devices=devices,
        start=start,
        end=end,
        until=start,
    )


_CHILD_ALERTS = """
SELECT device_id, rule, opened_at, detected_at, resolved_at
FROM alert
WHERE rule = ANY($1::text []) AND detected_at < $3 AND (resolved_at IS NULL OR resolved_at >= $2)
ORDER BY id
"""


async def _child_alerts(
    connection: Connection,
    kinds: Mapping[str, Kind],
    definitions: Sequence[Definition],
    *,
    start: int,
    end: int,
) -> Mapping[str, Sequence[ChildAlert]]:
    """Return by rule about parents which alerts their children had, of the rules that name it a parent."""
    parents = {d.id: d.sweep.of for d in definitions if isinstance(d.sweep, ChildrenDown)}
    if not parents:
        return {}
    live = [rule.definition for rule in (await catalogue.active(connection, kinds)).rules]
    found = {}
    for rule, of in parents.items():
        explained = [d.id for d in [*live, *definitions] if rule in d.suppress_by and d.kind == of]
        rows = await connection.fetch(_CHILD_ALERTS, explained, to_datetime(start), to_datetime(end))
        found[rule] = [
            ChildAlert(
                at=to_microseconds(row["resolved_at" if not is_open else "detected_at"]),
                device_id=row["device_id"],
                rule=row["rule"],
                opened_at=to_microseconds(row["opened_at"]),
                is_open=is_open,
            )
            for row in rows
            for is_open in (True, False)
            if is_open or row["resolved_at"] is not None
        ]
    return found
