"""How a simulated device updates itself: fetch in pieces, check hash and signature, start anew, or go back.

Knows HTTP and what is signed, as firmware does; nothing of how a platform decides. Written from
docs/protocol.md alone, so that it proves the page.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware_sim.physics.model import CommandAnswer

PIECE = 65_536
TRIES = 8
FIRST_PAUSE_S = 0.2
UNFIT = b"NABD-SIM-UNFIT\n"
"""An image that begins so does not start: the device goes back to what it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """Where images are, the key that signs them, and what each device signs in with."""

    platform: str
    public_key: str
    passwords: Mapping[str, str] = field(default_factory=dict)


class OfferedImage(msgspec.Struct):
    """What the command `update_firmware` says."""

    version: str
    sha256: str
    size: int
    signature: str
    url: str


class UpdateRefused(Exception):
    """The device does not take the image; the text says why."""


async def update(
    device: str,
    kind: str,
    args: Mapping[str, object],
    downloads: Downloads,
    say: Callable[[CommandAnswer], None],
) -> str | None:
    """Update a device and say how it goes; return its new version, None where it kept its own."""
    try:
        image = msgspec.convert(args, OfferedImage)
    except msgspec.ValidationError as error:
        say(CommandAnswer(status="rejected", detail=str(error)))
        return None
    say(CommandAnswer(status="accepted"))
    try:
        content = await _fetched(device, image, downloads, say)
        _check(kind, image, content, downloads.public_key)
    except UpdateRefused as error:
        say(CommandAnswer(status="failed", detail=str(error)))
        return None
    if content.startswith(UNFIT):
        rolled_back = {"rolled_back": True}
        say(CommandAnswer(status="failed", detail="self-test failed, rolled back", result=rolled_back))
        return None
    done = f"runs {image.version}"
    say(CommandAnswer(status="succeeded", detail=done, result={"firmware": image.version}))
    return image.version


async def _fetched(
    device: str, image: OfferedImage, downloads: Downloads, say: Callable[[CommandAnswer], None]
) -> bytes:
    """Return the image, fetched piece by piece; a lost connection is taken up where it broke."""
    have, told, failures = bytearray(), -1, 0
    url = image.url if "://" in image.url else downloads.platform.rstrip("/") + image.url
    account = httpx2.BasicAuth(device, downloads.passwords.get(device, ""))
    async with httpx2.AsyncClient(auth=account, timeout=10.0) as client:
        while len(have) < image.size:
            last = min(len(have) + PIECE, image.size) - 1
            wanted = {"Range": f"bytes={len(have)}-{last}", "If-Range": f'"{image.sha256}"'}
            try:
                answer = await client.get(url, headers=wanted)
            except httpx2.TransportError as error:
                answer, why = None, str(error) or type(error).__name__
            if answer is None or answer.status_code in (429, 503):
                failures += 1
                if failures > TRIES:
                    raise UpdateRefused(f"download failed: {why if answer is None else answer.status_code}")
                await asyncio.sleep(FIRST_PAUSE_S * 2 ** min(failures, 5))
                continue
            if answer.status_code == 200:
                have.clear()  # it is another image by now: all of it came
            elif answer.status_code != 206:
                raise UpdateRefused(f"download refused: {answer.status_code}")
            have += answer.content
            failures = 0
            if (percent := 100 * len(have) // image.size // 25 * 25) > told:
                told = percent
                say(CommandAnswer(status="running", detail=f"{percent} %"))
    return bytes(have)


def _check(kind: str, image: OfferedImage, content: bytes, public_key: str) -> None:
    """Refuse what is not the image that was signed for this kind.

    Raises:
        UpdateRefused: hash or signature is wrong.
    """
    if hashlib.sha256(content).hexdigest() != image.sha256:
        raise UpdateRefused("SHA-256 is not that of the image")
    lines = ("nabd-firmware-1", kind, image.version, str(image.size), image.sha256)
    signed = "".join(f"{line}\n" for line in lines).encode()
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(image.signature), signed)
    except (ValueError, InvalidSignature):
        raise UpdateRefused("signature is not by the key that the device was built with") from None
