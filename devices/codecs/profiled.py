"""A profile that names a codec: the codec decodes the bytes, the profile reads what it returned."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from devices.codecs.codec import Codec, CodecFailed, DecodedUplink
from devices.codecs.pool import Codecs
from devices.profiles import Profiles
from devices.wire.adapters.profile import Profile
from devices.wire.adapters.uplink import Uplink


async def decoded(
    codecs: Codecs, profiles: Profiles, profile: Profile, uplink: Uplink, received_at: int
) -> DecodedUplink | None:
    """Return what the profile's codec makes of an uplink; None without a codec, or without bytes.

    Hand `values` to `Profile.read`.

    Args:
        received_at: microseconds since 1970 UTC, where the uplink itself says no instant.

    Raises:
        CodecFailed: the codec cannot be read, or failed.
        CodecsAway: no process for codecs can be had; the message is to be tried again.
    """
    file = profiles.codec(profile.name)
    if file is None or uplink.payload is None:
        return None
    at = received_at if uplink.at is None else uplink.at
    return await codecs.decode(codec_of(file), uplink.payload, uplink.port, at)


def codec_of(file: Path) -> Codec:
    """Return the codec of a file; one that changed is read again.

    Raises:
        CodecFailed: the file cannot be read, or is no codec.
    """
    try:
        return _codec(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise CodecFailed(f"codec {file.name} cannot be read: {error.strerror}") from error


@lru_cache(maxsize=256)
def _codec(file: Path, changed_at: int) -> Codec:
    """Return a codec; `changed_at` makes that a file which has changed is read again."""
    return Codec.read(file)
