"""Whether who posts to a webhook knows its secret: shows it, or signs the body with it.

Pure: now is an argument. Must not know HTTP beyond names of headers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from secrets import token_bytes
from typing import Final

SLACK_S: Final = 300.0
"""How far the time in a signature may be from ours, in seconds: an older one may have been overheard."""
SHORTEST: Final = 16
"""Characters of a secret at least, and bytes of a key that is written as Standard Webhooks have it."""
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32


def new_secret() -> str:
    """Return a secret that may be shown or signed with, as Standard Webhooks write it."""
    return _PREFIX + base64.b64encode(token_bytes(_KEY_BYTES)).decode()


def weakness(secret: str) -> str:
    """Return why a secret protects no webhook; empty: it does."""
    if len(secret) < SHORTEST:
        return f"at least {SHORTEST} characters: `openssl rand -base64 24` makes one"
    if secret.startswith(_PREFIX) and len(_key(secret)) < SHORTEST:
        return f"after {_PREFIX} comes base64 of at least {SHORTEST} bytes: `openssl rand -base64 24` does"
    return ""


def knows(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    """Tell whether a delivery shows the secret, or a signature of its body by it.

    As a bearer's token, as the password of HTTP Basic, as `X-Hub-Signature-256: sha256=HEX` (HMAC-SHA256 of
    the body), or as Standard Webhooks have it (`webhook-id`, `webhook-timestamp`, `webhook-signature`).

    Args:
        secret: nobody knows one that is empty or too weak.
        headers: by name, whatever its case.
        now_s: seconds since 1970.
    """
    if weakness(secret):
        return False
    if "authorization" in headers:
        return hmac.compare_digest(_shown(headers["authorization"]).encode(), secret.encode())
    if "webhook-signature" in headers:
        return _is_standard(secret, headers, body, now_s)
    said = headers.get("x-hub-signature-256", "")
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(said.encode(), f"sha256={made}".encode())


def _shown(authorization: str) -> str:
    scheme, _, shown = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip()
    try:
        decoded = base64.b64decode(shown.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return decoded.partition(":")[2] if scheme.lower() == "basic" else ""


def _is_standard(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> bool:
    named, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or len(at) > 15 or abs(int(at) - now_s) > SLACK_S:
        return False
    made = hmac.new(_key(secret), f"{named}.{at}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(made)
    # Several while a secret is changed: one that is right is enough.
    said = headers["webhook-signature"].encode().split(b" ")
    return any(hmac.compare_digest(one, expected) for one in said)


def _key(secret: str) -> bytes:
    """Return what is signed with; empty: it should be base64, and is not."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
