"""What can be said about one rule on one device at one instant. Pure data.

Must not know how it was found (rules.explain.explain) or how it is said (rules.explain.texts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alerts.transition import Severity
from rules.definition.definition import Text
from rules.explain.evidence import LabelledValue


class RuleStatus(StrEnum):
    """State of a rule on a device as it is shown; unknown: it fires, and the device has been silent since."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    UNKNOWN = "unknown"


class TruthValue(StrEnum):
    """What a condition yields on a reading."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


class UndecidedCause(StrEnum):
    """Why a term is undecided."""

    MISSING = "missing"
    SUSPECT = "suspect"
    NO_ATTRIBUTE = "no_attribute"
    NO_PAST = "no_past"
    NOT_A_NUMBER = "not_a_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecidedReason:
    """Why a term is undecided, and because of which measurement or attribute."""

    why: UndecidedCause
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One comparison of a rule on the reading that counts.

    part: of the rule, "levels.warning", "clear" or "when". since: observed_at (microseconds) of the first
    reading from which on `truth` has been the same, as far back as the history goes.
    """

    part: str
    text: str
    value: float | str | bool | None
    limit: float | str | bool | None
    truth: TruthValue
    since: int | None
    reasons: tuple[UndecidedReason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What must still happen before a condition that holds has held long enough.

    readings: so many more. lasting_us: so much longer. restarts_after: a first reading later than this
    (microseconds) begins a new count.
    """

    readings: int
    lasting_us: int
    restarts_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One severity of the rule. reached: the alert has this level, or a higher one.

    since: when the present run began, of its condition or, while the level is reached, of its end.
    """

    severity: Severity
    condition: str
    reached: bool
    truth: TruthValue
    since: int | None
    missing: Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One rule on one device. Instants are microseconds since 1970-01-01Z.

    since: when it began to fire or to be pending. readings: how many were evaluated. gate: whether the
    rule looks at its readings now. late_last: the last reading to arrive was late and did not count.
    inhibited_by: the open alert that explains this one. across: judged over many devices or by time, not by
    readings of this one; `values` is then the alert's evidence. fired_by: the open alert's evidence with the
    labels of the kind and the rule. time_zone: of the device's municipality. labels: of the names in the
    rule's expressions.
    """

    rule: str
    version: int
    device: str
    at: int
    status: RuleStatus
    severity: Severity | None
    since: int | None
    alert: int | None
    observed_at: int | None
    received_at: int | None
    silent_since: int | None
    readings: int
    levels: tuple[Level, ...] = ()
    terms: tuple[Term, ...] = ()
    gate: TruthValue = TruthValue.TRUE
    clear: str = ""
    late_last: bool = False
    inhibited_by: int | None = None
    across: bool = False
    missing: Missing | None = None
    ends_missing: Missing | None = None
    deadline: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    fired_by: tuple[LabelledValue, ...] = ()
    time_zone: str = "UTC"
    labels: Mapping[str, Text] = field(default_factory=dict)
