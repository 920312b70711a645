"""What a profile makes of a message that is tried, its codec run first where it has one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from devices.codecs.pool import Codecs
from devices.codecs.profiled import codec_of
from devices.profiles.trial import ProfileTrial, tried
from devices.wire.adapters.profile import Profile
from devices.wire.adapters.uplink import Uplink


async def try_all(
    profile: Profile, codec: Path | None, uplinks: Sequence[Uplink], now: int, topic: str = ""
) -> list[ProfileTrial]:
    """Return what a profile makes of each uplink.

    Args:
        codec: the file of its codec, None without.
        now: microseconds since 1970 UTC, where an uplink says no instant.

    Raises:
        CodecFailed: the codec cannot be read, or failed.
        CodecsAway: no process for codecs can be had.
    """
    if codec is None:
        return await asyncio.to_thread(lambda: [tried(profile, uplink, topic=topic) for uplink in uplinks])
    trials = []
    async with Codecs() as codecs:
        for uplink in uplinks:
            values = None
            if uplink.payload is not None:
                at = now if uplink.at is None else uplink.at
                values = (await codecs.decode(codec_of(codec), uplink.payload, uplink.port, at)).values
            trials.append(await asyncio.to_thread(tried, profile, uplink, values, topic=topic))
    return trials
