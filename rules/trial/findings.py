"""What a trial of a rule found, in figures that can be compared. Pure.

For backtests and shadows alike; devices by name, not by number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from alerts.transition import Severity
from devices.instants import to_datetime
from rules.trial.episodes import Episode, compare, flaps, per_day


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialAlert:
    """One alert that would have been. live: the live rule raised it too."""

    device: str
    severity: Severity
    opened_at: datetime
    ended_at: datetime | None
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """One rule on trial in [since, until). Days are UTC.

    flaps: alerts that came back within an hour. same, only_test: of the alerts on trial, those that the live
    rule also raised on that device at that time, and the others. only_live: what the trial did not raise.
    notes: what the trial could not know, in sentences.
    """

    rule: str
    since: datetime
    until: datetime
    readings: int
    devices_seen: int
    devices: int
    flaps: int
    first: datetime | None
    last: datetime | None
    live_alerts: int
    same: int
    only_test: int
    only_live: int
    per_day: Mapping[str, int]
    alerts: tuple[TrialAlert, ...]
    missed: tuple[TrialAlert, ...]
    notes: tuple[str, ...] = ()


def findings(
    rule: str,
    tried: Sequence[Episode],
    live: Sequence[Episode],
    names: Mapping[int, str],
    *,
    start: int,
    end: int,
    readings: int = 0,
    seen: int = 0,
    notes: tuple[str, ...] = (),
) -> Findings:
    """Sum up the episodes of a trial and compare them with the live rule's (microseconds).

    Args:
        names: of devices, by the registry's number.
        readings: how many were evaluated.
        seen: how many devices sent them.
        notes: what the trial could not know.
    """
    compared = compare(tried, live)
    alone = {id(episode) for episode in compared.only_first}
    return Findings(
        rule=rule,
        since=to_datetime(start),
        until=to_datetime(end),
        readings=readings,
        devices_seen=seen,
        devices=len({e.device_id for e in tried}),
        flaps=flaps(tried),
        first=to_datetime(tried[0].opened_at) if tried else None,
        last=to_datetime(tried[-1].opened_at) if tried else None,
        live_alerts=len(live),
        same=compared.both,
        only_test=len(compared.only_first),
        only_live=len(compared.only_second),
        per_day=_per_day(tried, to_datetime(start).date(), to_datetime(max(end - 1, start)).date()),
        alerts=tuple(_found(e, names, id(e) not in alone) for e in tried),
        missed=tuple(_found(e, names, True) for e in compared.only_second),
        notes=notes,
    )


def _per_day(episodes: Sequence[Episode], first: date, last: date) -> dict[str, int]:
    return {day.isoformat(): count for day, count in per_day(episodes, first, last).items()}


def _found(episode: Episode, names: Mapping[int, str], live: bool) -> TrialAlert:
    return TrialAlert(
        device=names.get(episode.device_id, str(episode.device_id)),
        severity=episode.severity,
        opened_at=to_datetime(episode.opened_at),
        ended_at=None if episode.ended_at is None else to_datetime(episode.ended_at),
        live=live,
    )
