"""The key by which push services know us (VAPID, RFC 8292): made the first time, kept in the database.

Browsers subscribe to one key: another one ends every subscription.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc import jwt
from joserfc.jwk import ECKey

from devices.instants import to_datetime
from store.connection import Connection

PURPOSE = "web-push"
GOOD_FOR_S = 12 * 3600
"""Of one proof; push services take at most 24 hours."""
SCALAR_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class VapidKey:
    """A key pair of P-256."""

    private: ec.EllipticCurvePrivateKey

    @cached_property
    def public(self) -> str:
        """Return what browsers subscribe with: the uncompressed point in base64url."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    @cached_property
    def _signing(self) -> ECKey:
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return ECKey.import_key(pem)

    def authorization(self, endpoint: str, now: int, contact: str) -> str:
        """Return the header that proves to a push service who sends.

        Args:
            endpoint: where to; the proof is for its host alone.
            now: real time, microseconds since 1970-01-01Z.
            contact: mailto: or https:, whom they may ask; empty: nobody.
        """
        parts = urlsplit(endpoint)
        claims: dict[str, object] = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": now // 1_000_000 + GOOD_FOR_S,
        }
        if contact:
            claims["sub"] = contact
        return f"vapid t={jwt.encode({'alg': 'ES256', 'typ': 'JWT'}, claims, self._signing)}, k={self.public}"


_KEY = "SELECT secret FROM signing_key WHERE purpose = $1"
_NEW_KEY = """
INSERT INTO signing_key (purpose, secret, created_at) VALUES ($1, $2, $3)
ON CONFLICT (purpose) DO NOTHING
"""


async def vapid_key(connection: Connection, now: int) -> VapidKey:
    """Return the key of this installation, which is made the first time."""
    found: bytes | None = await connection.fetchval(_KEY, PURPOSE)
    if found is None:
        made = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
        secret = made.to_bytes(SCALAR_BYTES, "big")
        await connection.execute(_NEW_KEY, PURPOSE, secret, to_datetime(now))
        found = await connection.fetchval(_KEY, PURPOSE)
    assert found is not None
    return VapidKey(private=ec.derive_private_key(int.from_bytes(found, "big"), ec.SECP256R1()))
