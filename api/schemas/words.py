"""Patterns of texts that people write."""

from __future__ import annotations

AS_RECEIVED = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
"""Of what programs pass on: telephones put in what they like."""
NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]*$"
"""PostgreSQL text takes no NUL, and nobody reads the other control characters.

Nor those that embed or override a direction, see devices.acceptable.
"""
