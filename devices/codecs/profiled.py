"""A profile that names a codec: the codec decodes and makes bytes, the profile says what they are of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from devices.codecs.codec import Codec, CodecFailed, DecodedUplink
from devices.codecs.pool import Codecs
from devices.profiles import Profiles
from devices.wire.adapters.downlink import Downlink, NotEncoded
from devices.wire.adapters.profile import Profile
from devices.wire.adapters.profile.downlinks import ProfileDownlink
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


async def encoded(
    codecs: Codecs, file: Path | None, said: ProfileDownlink, args: Mapping[str, Any]
) -> Downlink:
    """Return what a command is for devices of a profile.

    Args:
        file: of the profile's codec, None without.
        said: how the profile says it.

    Raises:
        NotEncoded: the arguments do not fit, or nobody says the port.
        CodecFailed: the codec cannot be read, or failed.
        CodecsAway: no process for codecs can be had.
    """
    if said.data is None or file is None:
        assert said.port is not None, "a downlink in hexadecimal names its port"
        return Downlink(port=said.port, payload=said.payload(args), confirmed=said.confirmed)
    made = await codecs.encode(codec_of(file), said.values(args), said.port)
    port = made.port if made.port is not None else said.port
    if port is None:
        raise NotEncoded(f"neither {file.name} nor [downlinks.{said.command}] says the port")
    return Downlink(port=port, payload=made.payload, confirmed=said.confirmed)


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
