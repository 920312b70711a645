"""The demo's firmware: lamps get credentials, an image that a key of the moment signs, and a rollout."""

from __future__ import annotations

import asyncio
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from devices.credentials.issuing import rotate_passwords
from devices.firmware.image import facts_of, public_of, sign
from devices.firmware.image_files import ImageDirectory
from devices.firmware.images import add_image
from devices.firmware.rollouts import NewRollout, start
from devices.instants import Now
from devices.kinds import Kinds
from devices.registry.registry import list_devices
from firmware_sim.town import Town
from firmware_sim.updating import Downloads
from nabd.first_link import base_of
from nabd.settings import Settings, firmware_directory
from store.audit import PLATFORM
from store.pool import connect

KIND, VERSION = "light", "1.1.0"
IMAGE_BYTES = 400_000
STAGES = (25, 100)
TOLERATED_PCT = 50
"""The town's lamps break by themselves and some are locked: a few of them say nothing of the image."""
WATCH_S = 30


async def roll_out(settings: Settings, declared: Kinds, town: Town, now: Now) -> Downloads:
    """Start a rollout to the town's lamps; return where, and as whom, they fetch the image."""
    assert settings.database is not None
    key = Ed25519PrivateKey.generate()
    content = secrets.token_bytes(IMAGE_BYTES)
    facts = facts_of(content, KIND, VERSION)
    files = ImageDirectory(firmware_directory(settings))
    await asyncio.to_thread(files.write, facts.sha256, content)
    connection = await connect(settings.database)
    try:
        registered = await list_devices(
            connection, municipality=town.municipality, kind=KIND, limit=len(town.devices)
        )
        names = [device.name for device in registered]  # one registers itself later
        issued = await rotate_passwords(
            connection, declared, names, now=now, by=PLATFORM, random=secrets.token_bytes
        )
        await add_image(
            connection,
            declared,
            facts,
            signature=sign(facts, key),
            public_key=public_of(key),
            note="dims more smoothly",
            now=now,
            by=PLATFORM,
        )
        new = NewRollout(
            kind=KIND,
            version=VERSION,
            municipality=town.municipality,
            stages=STAGES,
            tolerated_pct=TOLERATED_PCT,
            watch_s=WATCH_S,
        )
        await start(connection, new, now, by=PLATFORM)
    finally:
        await connection.close()
    passwords = {one.username: one.password for one in issued}
    return Downloads(platform=base_of(settings), public_key=public_of(key), passwords=passwords)
