"""Families of sweep rules beside silence: what each is told.

Pure. Must not know how a family is judged (rules.sweeps), nor how it is written (family_syntax).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from alerts.transition import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A measurement against a number, or a share of others, over the newest reading only.

    factors: measurements and numeric attributes: their product times `value` is what it is compared with.
    """

    measurement: str
    operator: Literal["<", "<=", ">", ">="]
    value: float
    factors: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it looks at."""
        return (self.measurement, *self.factors)


ANY_KIND = "any"
"""In place of one kind: whatever hangs on a gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenDown:
    """Most of what hangs on one structural device went dark or silent together: one incident on the parent.

    of: the children's kind, or ANY_KIND. share: how many of those that lived must be down. clear: down to
    which share it ends. within_us: how far apart their ends may lie beside their reporting interval.
    at_least: fewer children prove nothing. missing: intervals without a reading that count as silent. dark,
    lit: over a
    child's newest reading, all must hold; `lit` proves the end of darkness.
    """

    of: str
    share: float
    clear: float
    within_us: int
    at_least: int
    missing: float
    severity: Severity
    dark: tuple[Comparison, ...] = ()
    lit: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenApart:
    """Several of what hangs on one structural device measure too little, or too much, together.

    Their cause lies before them: one incident on the parent. of: the children's kind. group: a text attribute
    of theirs, equal for those on one conductor. nominal: a numeric attribute that says what is right;
    tolerance: share of it that is still right. minimum: how far from the median of all is far, in the
    measurement's unit. at_least, share: fewer than so many, or than such a part, are faults of their own;
    of a declared group two are enough that are most of it. lasting_us: for how long.
    """

    of: str
    measurement: str
    group: str | None
    nominal: str | None
    tolerance: float
    minimum: float
    at_least: int
    share: float
    lasting_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRefreshed:
    """The device speaks, but one measurement it used to send has been missing or suspect for so long."""

    measurement: str
    missing: float
    at_least_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A value far from the median of what stands around it, or hangs on the same parent.

    within_m: size of the neighbourhood; None means the devices of one parent. at_least: values a median
    needs. off_by: how many robust standard deviations are far. minimum: and how much at least, in the
    measurement's unit. lasting_us: for how long.
    """

    measurement: str
    within_m: float | None
    at_least: int
    off_by: float
    minimum: float
    lasting_us: int
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a measurement that fills and is emptied will reach a level.

    within_us, clear_us: the alert opens when four chances in five are nearer than the first, and ends when
    the expected time is farther than the second. emptied_by: a fall that is an emptying, not settling, in
    the unit; where little was in it half of that is, down to a quarter of this.
    """

    measurement: str
    reaches: float
    within_us: int
    clear_us: int
    emptied_by: float
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """The device runs other firmware than the last rollout has brought to the others, and has for so long."""

    lasting_us: int
    severity: Severity


Sweep = ChildrenDown | ChildrenApart | NotRefreshed | Neighbours | Forecast | Behind
