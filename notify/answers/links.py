"""The token of a signed link: a number and when it ends, with a signature of both. Pure.

Nobody can make one without the key. Which alerts it is about, and whether it was used, is not in it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_TOKEN = re.compile(r"([0-9]{1,19})-([0-9]{1,12})-([A-Za-z0-9_-]{22})")
_SIGNED_BYTES = 16


def sign(key: bytes, offer: int, expires_s: int) -> str:
    """Return the token of an offer; expires_s: seconds since 1970-01-01Z."""
    return f"{offer}-{expires_s}-{_signature(key, offer, expires_s)}"


def verify(key: bytes, token: str) -> int | None:
    """Return the number of the offer that a token is for; None where we did not sign it.

    That it has expired is not said here: who shows one that was ours is told so.
    """
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    offer, expires_s = int(found[1]), int(found[2])
    if not hmac.compare_digest(sign(key, offer, expires_s), token):
        return None
    return offer


def _signature(key: bytes, offer: int, expires_s: int) -> str:
    signed = hmac.digest(key, f"answer.{offer}.{expires_s}".encode(), hashlib.sha256)[:_SIGNED_BYTES]
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")
