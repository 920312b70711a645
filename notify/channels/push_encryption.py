"""What is sent to a browser, so that its push service cannot read it (RFC 8291 and aes128gcm). Pure."""

from __future__ import annotations

import os
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD_BYTES = 4096
"""Push services take no more; all of a message is one record."""
MOST_BYTES = 3993
"""Of what is encrypted: a record without header (86), delimiter (1) and authentication tag (16)."""
SALT_BYTES, KEY_BYTES, NONCE_BYTES = 16, 16, 12
_LAST_RECORD = b"\x02"


def encrypted(
    said: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    salt: bytes | None = None,
    own: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the body of a message to a browser.

    Args:
        said: at most MOST_BYTES.
        p256dh: the browser's public key, an uncompressed point of P-256.
        auth: the browser's secret.
        salt, own: random ones unless given; each is used once.
    """
    own = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(SALT_BYTES)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh))
    secret = _derived(shared, auth, b"WebPush: info\0" + p256dh + point, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", KEY_BYTES)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, said + _LAST_RECORD, None)
    return salt + struct.pack("!IB", RECORD_BYTES, len(point)) + point + sealed


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
