"""What a device is to be set to, against what it says it is set to.

Pure. Must not know how either is stored or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from devices.commands.new_command import check_arg
from devices.kinds.kind import INTERVAL, Argument, Kind
from devices.registry.errors import Invalid
from devices.suggestion import meant

COMMON = (
    Argument(
        name=INTERVAL,
        unit="s",
        low=1,
        high=86_400,
        label={"en": "Interval", "fr": "Intervalle", "ar": "الفاصل الزمني"},
    ),
)
"""What every device can be set to, beside what its kind declares."""


class Agreement(StrEnum):
    """Whether a device is as it is to be."""

    FREE = "free"
    """Nothing is wanted of it."""
    WAITING = "waiting"
    """It has not said anything since the last change."""
    AGREED = "agreed"
    REFUSED = "refused"
    """It says that it does not take some of it."""
    APART = "apart"
    """It knows the last change, and is set otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """What is wanted of a device, and what it said last; refused: why not, by name."""

    device: str
    municipality: str
    kind: str
    desired: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    desired_at: datetime | None = None
    desired_by: str | None = None
    reported: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    reported_version: int | None = None
    reported_at: datetime | None = None
    firmware: str | None = None

    @property
    def drift(self) -> tuple[str, ...]:
        """The names of what is not as it is wanted."""
        missing = object()
        return tuple(n for n, v in self.desired.items() if self.reported.get(n, missing) != v)

    @property
    def agreement(self) -> Agreement:
        """Whether the device is as it is to be."""
        if not self.desired:
            return Agreement.FREE
        if not self.drift:
            return Agreement.AGREED
        if self.reported_version is None or self.reported_version < self.version:
            return Agreement.WAITING
        return Agreement.REFUSED if set(self.drift) & set(self.refused) else Agreement.APART


def settable(kind: Kind | None) -> dict[str, Argument]:
    """Return what devices of a kind can be set to, by name."""
    return {a.name: a for a in (*COMMON, *(kind.configuration if kind else ()))}


def merged(kind: Kind | None, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is wanted after some changes; None takes a wish back.

    Raises:
        Invalid: field `desired.NAME`: it cannot be set, or not to that value.
    """
    known = settable(kind)
    for name, value in changes.items():
        if name not in known and value is not None:
            raise Invalid(f"desired.{name}", f"cannot be set; {meant(name, known)}")
        if value is not None:
            check_arg(known[name], value, "desired")
    return {n: v for n, v in {**before, **changes}.items() if v is not None}
