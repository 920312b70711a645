"""Codes of authenticator apps (TOTP, RFC 6238: six digits, half a minute), and codes for a lost phone. Pure.

Must not know where secrets are stored.
"""

from __future__ import annotations

import base64
import hmac
import secrets

import pyotp

STEP_S = 30
ISSUER = "Nabd"
RECOVERY_CODES = 10


def new_secret() -> str:
    """Return a new secret in base32, as apps read it."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """Return the otpauth:// address that an app takes, also as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now_s: float, after: int) -> int | None:
    """Return the step whose code this is, None where it is none or not later than step `after`.

    The steps before and after the present one count too: clocks differ (RFC 6238, 5.2).
    """
    app = pyotp.TOTP(secret)
    present = int(now_s) // STEP_S
    for step in (present - 1, present, present + 1):
        if step > after and hmac.compare_digest(app.generate_otp(step).encode(), code.encode()):
            return step
    return None


def is_secret(text: str) -> bool:
    """Tell whether a text is a secret of at least 128 bits in base32."""
    try:
        return len(base64.b32decode(text, casefold=False)) >= 16
    except ValueError:
        return False


def recovery_codes() -> list[str]:
    """Return new codes of 80 random bits, each good once: xxxx-xxxx-xxxx-xxxx."""
    return [_code() for _ in range(RECOVERY_CODES)]


def _code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[i : i + 4] for i in range(0, 16, 4))


def normalised(code: str) -> str:
    """Return a code without what people write between its characters, in Latin digits."""
    return "".join(str(int(c)) if c.isdecimal() else c for c in code.lower() if c.isalnum())
