"""Instants that are none, for arrays of microseconds since 1970-01-01Z."""

from __future__ import annotations

NEVER = -(1 << 62)
"""In place of an instant that never was; adding intervals to it does not overflow."""
FAR_AWAY = 1 << 62
"""In place of an instant that will not come."""
