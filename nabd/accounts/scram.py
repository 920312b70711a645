"""A password as PostgreSQL stores it (SCRAM-SHA-256, RFC 5803), so that none reaches a server or its log.

Pure: the salt is an argument.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

ITERATIONS = 4096
"""PostgreSQL's own; what an attacker would try is the password of a machine, 192 random bits."""
_STORED = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")


def verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """Return what stands in the catalogue for a password of ASCII characters."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = _text(hashlib.sha256(client).digest())
    server = _text(hmac.digest(salted, b"Server Key", "sha256"))
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${stored}:{server}"


def matches(stored: str | None, password: str) -> bool:
    """Tell whether a stored verifier is of this password."""
    found = _STORED.fullmatch(stored or "")
    if not found:
        return False
    again = verifier(password, base64.b64decode(found[2]), int(found[1]))
    return hmac.compare_digest(again, found[0])


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
