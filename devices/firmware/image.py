"""A firmware image: what is signed of it, by which key, and whether that holds.

Pure; the bytes are an argument. A device checks the same with the public key that it was built with.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from devices.registry.errors import Invalid

MOST_BYTES = 256 * 1024 * 1024
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFacts:
    """What is signed of an image, so that none passes for another kind's or version's."""

    kind: str
    version: str
    size: int
    sha256: str

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        lines = ("nabd-firmware-1", self.kind, self.version, str(self.size), self.sha256)
        return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareImage(ImageFacts):
    """An image that is kept: signature and public key in hexadecimal digits."""

    signature: str
    public_key: str
    note: str
    added_by: str
    added_at: datetime


def facts_of(content: bytes, kind: str, version: str) -> ImageFacts:
    """Return what is signed of an image.

    Raises:
        Invalid: it is empty or too large, or its version is no version.
    """
    if not content:
        raise Invalid("file", "it is empty")
    if len(content) > MOST_BYTES:
        raise Invalid("file", f"{len(content):,} bytes are more than {MOST_BYTES:,}")
    if not VERSION.fullmatch(version):
        raise Invalid("version", "letters, digits and .+_-, at most 64, such as 2.5.0")
    return ImageFacts(
        kind=kind, version=version, size=len(content), sha256=hashlib.sha256(content).hexdigest()
    )


def sign(facts: ImageFacts, key: Ed25519PrivateKey) -> str:
    """Return the signature of an image in hexadecimal digits."""
    return key.sign(facts.message).hex()


def public_of(key: Ed25519PrivateKey) -> str:
    """Return the public key in hexadecimal digits, as devices are built with it."""
    return key.public_key().public_bytes_raw().hex()


def is_signed(facts: ImageFacts, signature: str, public_key: str) -> bool:
    """Tell whether a signature is that of an image by a key; False for what is neither."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), facts.message)
    except (ValueError, InvalidSignature):
        return False
    return True
