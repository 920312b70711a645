"""Profiles: how the messages of one model of foreign devices become readings. Pure.

`parse` makes one of a TOML text or says every mistake with its place; `Profile.read` makes of an `Uplink`
what the wire contract calls elements, and says what was left. Must not know files (devices.profiles), brokers
or the time.
"""

from devices.wire.adapters.profile.errors import ProfileError, ProfileRefused
from devices.wire.adapters.profile.parse import parse
from devices.wire.adapters.profile.profile import Example, Profile
from devices.wire.adapters.profile.result import NoReading, Remark, Result, listed

__all__ = [
    "Example",
    "NoReading",
    "Profile",
    "ProfileError",
    "ProfileRefused",
    "Remark",
    "Result",
    "listed",
    "parse",
]
