"""Passwords of devices, and what is kept of them: as the files of mosquitto have it, by PBKDF2-SHA512.

Pure: randomness is an argument. Must not know the database.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable

ITERATIONS = 1
"""A password of 160 random bits cannot be guessed, however fast that is tried. mosquitto hashes that of every
connected device anew when it reads its list: with the 101 of mosquitto_passwd that pause is twice as long."""
SALT_BYTES = 12
"""What mosquitto asks for; any other length is refused by it."""
HASH_BYTES = 64
SECRET_BYTES = 20

Random = Callable[[int], bytes]
"""So many random bytes, such as `secrets.token_bytes`."""


def new_password(random: Random) -> str:
    """Return a password of 160 random bits: 32 capitals and digits, none of which looks like another."""
    return base64.b32encode(random(SECRET_BYTES)).decode()


def hashed(password: str, random: Random, *, iterations: int = ITERATIONS) -> str:
    """Return what is kept of a password, as mosquitto writes it: `$7$ITERATIONS$SALT$HASH`."""
    salt = random(SALT_BYTES)
    return f"$7${iterations}${_text(salt)}${_text(_derived(password, salt, iterations))}"


def verify(password: str, kept: str) -> bool:
    """Tell whether a password is the one of which this was kept; False for what is not of this scheme."""
    try:
        _, scheme, iterations, salt, derived = kept.split("$")
        if scheme != "7" or int(iterations) < 1:
            return False
        expected = base64.b64decode(derived, validate=True)
        actual = _derived(password, base64.b64decode(salt, validate=True), int(iterations))
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(expected, actual)


def _derived(password: str, salt: bytes, iterations: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode("utf-8", "replace"), salt, iterations, HASH_BYTES)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
