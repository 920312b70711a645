"""Random secrets and what is stored of them.

A plain hash is enough for a random 256-bit secret: it cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets

SESSION_PREFIX = "s."
"""What a session id begins with: it tells one from a token without asking the database."""


def new_secret(prefix: str = "") -> str:
    """Return a new secret of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
