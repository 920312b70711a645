"""What a rule says: frozen values, already checked for shape, conditions still as text.

Pure. Must not know files (rules.loading.files) or how conditions are evaluated (rules.language.program).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from alerts.transition import Severity
from devices.verify_span import VerificationSpan
from rules.definition.families import Sweep
from rules.definition.family_syntax import family_name
from rules.definition.one_of import OneOf

Text = Mapping[str, str]
"""A sentence by language, see devices.texts.languages."""

SETTLE_US = 300_000_000
ID = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a condition must hold: so many readings in a row, or so long in event time."""

    readings: int = 1
    lasting_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkDemand:
    """What a rule asks of work.

    from_severity: its alerts of this severity or worse become orders; None: none do.
    verify_within: how long readings are watched after a repair; None: as the kind says.
    """

    from_severity: Severity | None = None
    verify_within: VerificationSpan | None = None


LEAST_GAP_INTERVALS = 2.5
"""A gap of so many of a device's own intervals never counts as an interruption, whatever a rule says."""


@dataclass(frozen=True, slots=True)
class MaxGap:
    """The longest gap between two readings that still counts as uninterrupted.

    The longest of a fixed time, `intervals` times the interval expected after the earlier reading, and
    LEAST_GAP_INTERVALS times that.
    """

    intervals: float = LEAST_GAP_INTERVALS
    fixed_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When a rule looks at readings at all; outside they are undecided.

    local_from_min, local_to_min: minutes after local midnight; the first is included, the last is not.
    days: by the municipality's week and clock.
    condition: an expression. maintenance: whether it looks during maintenance windows too.
    """

    local_from_min: int | None = None
    local_to_min: int | None = None
    days: Literal["weekend", "workdays"] | None = None
    sun: Literal["day", "night"] | None = None
    condition: str | None = None
    maintenance: Literal["rest", "look"] = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A sweep rule: no reading for so many expected intervals, but at least so long.

    after: judged only where this is what the device said last. after_state: only where its newest reading
    puts it into this reporting state of its kind, whatever its words. of: "heard", devices that were heard
    and no longer are; "refused", those that go on sending and everything is refused; "never", those that were
    never heard since they are registered.
    """

    intervals: float
    at_least_us: int
    severity: Severity
    after: OneOf | None = None
    after_state: str | None = None
    of: Literal["heard", "refused", "never"] = "heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One rule. `levels` and `let` hold expressions as text; `kind` None means any kind.

    labels: what readers see instead of a name of `let`, or of an attribute.
    settle_us: how long an alert waits for one of `suppress_by` to open, and after it ended.
    sweep: what a sweep rule other than one about silence judges.
    source: the rule as it was written, JSON values only; what the database keeps.
    """

    id: str
    kind: str | None
    summary: Text
    levels: Mapping[Severity, str] = field(default_factory=dict)
    let: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Text] = field(default_factory=dict)
    clear: str | None = None
    hold: Hold = Hold()
    keep_firing: Hold = Hold()
    max_gap: MaxGap = MaxGap()
    when: Gate | None = None
    suppress_by: tuple[str, ...] = ()
    settle_us: int = SETTLE_US
    late: Literal["record", "raise"] = "record"
    use_suspect: bool = False
    route: str = ""
    runbook: Text = field(default_factory=dict)
    work: WorkDemand = WorkDemand()
    silent: Silent | None = None
    sweep: Sweep | None = None
    source: Mapping[str, object] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """What it is called to judge: "stream" for readings one by one, else the sweep family's name.

        A device that is refused, or was never heard, is not silent.
        """
        if self.sweep is not None:
            return family_name(self.sweep)
        if self.silent is None:
            return "stream"
        return "silent" if self.silent.of == "heard" else self.silent.of

    @property
    def severities(self) -> tuple[Severity, ...]:
        """What its alerts may have, lowest first."""
        found = {*self.levels, *(part.severity for part in (self.sweep, self.silent) if part is not None)}
        return tuple(sorted(found, key=lambda severity: severity.rank))
