"""What routing knows of an alert, and what it answers. Pure data."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.transition import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """An alert as routes see it: names, no numbers.

    route: what its rule says of who cares, such as waste; None: routing looks it up.
    """

    municipality: str
    kind: str
    severity: Severity
    rule: str
    device: str
    district: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """Whom to tell when nobody has acknowledged `after_s` seconds after the alert was told first.

    receivers: as routes name them: "person:amal", "team:lights", "on-call:tripoli".
    """

    after_s: float
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPlan:
    """What the route of an alert asks for; the first step's after_s is 0 unless the route says otherwise.

    route: its name, for people who ask why they were told. repeat_s: how often the last step is said again
    while nobody acknowledges; None: never. group_for_s: what follows the first of a group within it waits
    for one digest. resolved: whether the end is told too. quiet_hours: spans of the day in which no step
    and no repeat is told, on the clock of time_zone (IANA name): first and last minute, ISO days.
    """

    route: str
    steps: tuple[EscalationStep, ...]
    repeat_s: float | None
    group_for_s: float
    resolved: bool = True
    quiet_hours: tuple[tuple[int, int, tuple[int, ...]], ...] = ()
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How one person is told: by which channel, at which address.

    after_s: how long after the step: their own steps and quiet hours.
    """

    person_id: int
    channel: str
    address: str
    after_s: float
