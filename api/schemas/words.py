"""Patterns of texts that people write."""

from __future__ import annotations

NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"
"""PostgreSQL text takes no NUL, and nobody reads the other control characters."""
