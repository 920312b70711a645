"""The life of a device: planned, installed, retired. Pure: must not know the database.

Rules judge what is received of a device from its installation on, and silence counts from then.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from devices.instants import rfc3339, to_microseconds
from devices.registry.errors import Invalid

AHEAD = timedelta(minutes=5)
"""By how much another machine's clock may run before ours."""
NOT_YET = 2**63 - 1
"""From when a planned device counts, microseconds: never."""
PLANNED = "planned"
"""How a list writes that a device is not installed yet."""


class Life(StrEnum):
    """Where a device is in its life. The values are those of the API and of view `v_device`."""

    PLANNED = "planned"
    INSTALLED = "installed"
    RETIRED = "retired"


def life_of(installed_at: datetime | None, retired_at: datetime | None) -> Life:
    """Return the life of a device with these instants."""
    if retired_at is not None:
        return Life.RETIRED
    return Life.PLANNED if installed_at is None else Life.INSTALLED


def counts_from(installed_at: datetime | None) -> int:
    """Return from when on what is received of a device counts for rules, microseconds."""
    return NOT_YET if installed_at is None else to_microseconds(installed_at)


def check_installed_at(installed_at: datetime | None, now: datetime) -> None:
    """Refuse an installation that is yet to come.

    Raises:
        Invalid: field `installed_at`.
    """
    if installed_at is not None and installed_at > now + AHEAD:
        raise Invalid(
            "installed_at",
            f"{rfc3339(installed_at)} is yet to come: register it as planned, and install it that day",
        )


def read_installed_at(text: str) -> datetime | None:
    """Return an instant written with its offset, None for the word `planned`.

    Raises:
        Invalid: field `installed_at`.
    """
    if text.lower() == PLANNED:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise Invalid(
            "installed_at", f"{text!r}: write {PLANNED}, or an instant such as 2026-03-01T08:30:00Z"
        )
    return instant
