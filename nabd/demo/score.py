"""Alerts against labelled faults: which were seen, which missed, and which alerts were about nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from devices.instants import of_rfc3339, to_datetime, to_microseconds
from firmware_sim.faults import EXPECTED, LONG_RUN, FaultLine
from store.connection import Connection

LABELLED = EXPECTED.keys() | LONG_RUN.keys()
"""Rules that the simulator has ground truth for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAlert:
    """One alert as it opened. Times are microseconds since 1970-01-01Z; `committed_at` None where unknown."""

    rule: str
    device: str
    opened_at: int
    resolved: bool
    committed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Counts; `faults` are those that lasted long enough for a right rule to see them.

    `unlabelled` alerts are of rules that the simulator has no ground truth for, such as forecasts: nobody can
    say whether they are true.
    """

    faults: int
    detected: int
    missed: tuple[str, ...]
    false_alerts: tuple[str, ...]
    unlabelled: tuple[str, ...]


def read_faults(path: Path) -> list[FaultLine]:
    """Return the labelled faults of a run."""
    decoder = msgspec.json.Decoder(FaultLine)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def score(faults: Iterable[FaultLine], alerts: Iterable[OpenedAlert], grace: Mapping[str, int]) -> Score:
    """Match alerts with faults of the same device that expect the same rule.

    An alert matches when it opened between the fault's earliest honest moment and its end plus the device's
    grace (microseconds by device): one and a half reporting intervals. Where two faults could have caused
    it, the later one has.
    """
    newest_first = sorted(faults, key=lambda fault: fault.start, reverse=True)
    seen: set[int] = set()
    unmatched, unlabelled = [], []
    for alert in alerts:
        if alert.rule not in LABELLED:
            unlabelled.append(alert)
            continue
        for i, fault in enumerate(newest_first):
            if _matches(fault, alert, grace.get(fault.device, 0)):
                seen.add(i)
                break
        else:
            unmatched.append(alert)
    known = [i for i, fault in enumerate(newest_first) if fault.detectable]
    missed = [newest_first[i] for i in known if i not in seen]
    return Score(
        faults=len(known),
        detected=len(known) - len(missed),
        missed=tuple(f"{fault.expect} on {fault.device} from {fault.start}" for fault in missed),
        false_alerts=tuple(map(_told, unmatched)),
        unlabelled=tuple(map(_told, unlabelled)),
    )


def _told(alert: OpenedAlert) -> str:
    return f"{alert.rule} on {alert.device} at {to_datetime(alert.opened_at).isoformat()}"


def _matches(fault: FaultLine, alert: OpenedAlert, grace: int) -> bool:
    if (fault.device, fault.expect) != (alert.device, alert.rule):
        return False
    from_, to = of_rfc3339(fault.earliest), None if fault.end is None else of_rfc3339(fault.end) + grace
    return from_ - grace <= alert.opened_at and (to is None or alert.opened_at <= to)


_ALERTS = """
SELECT
    a.rule, d.name AS device, a.opened_at, a.state = 'resolved' AS resolved,
    CASE WHEN current_setting('track_commit_timestamp') = 'on' THEN pg_xact_commit_timestamp(t.xmin) END
        AS committed_at
FROM alert AS a
INNER JOIN device AS d ON a.device_id = d.id
INNER JOIN transition AS t ON t.alert_id = a.id AND t.from_state <> 'firing'
WHERE a.detected_at >= $1
ORDER BY a.id
"""


async def opened(connection: Connection, at: Callable[[int], int], *, since: int = 0) -> list[OpenedAlert]:
    """Return every alert with the moment at which its opening was committed.

    since: those detected from then on alone, microseconds. Commit times are the server's own; `at` turns its
    clock to that of the log.
    """
    return [
        OpenedAlert(
            rule=row["rule"],
            device=row["device"],
            opened_at=to_microseconds(row["opened_at"]),
            resolved=row["resolved"],
            committed_at=None if row["committed_at"] is None else at(to_microseconds(row["committed_at"])),
        )
        for row in await connection.fetch(_ALERTS, to_datetime(since))
    ]
