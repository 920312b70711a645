"""A profile as people and machines are shown it: what it is, and where each measurement stands."""

from __future__ import annotations

from typing import Any

from devices.wire.adapters.profile import Profile


def described(profile: Profile) -> dict[str, Any]:
    """Return what a profile is, as JSON has it."""
    return {
        "profile": profile.name,
        "title": dict(profile.title),
        "vendor": profile.vendor,
        "model": profile.model,
        "kinds": list(profile.kinds),
        "documented": profile.documented,
        "codec": profile.codec or None,
        "commands": list(profile.downlinks),
    }


def measured(profile: Profile) -> list[dict[str, Any]]:
    """Return for each measurement its kind, name, paths, unit where it stands, and what it becomes."""
    return [
        {
            "kind": reading.kind.name,
            "measurement": value.measurement.name,
            "paths": [path.text for path in value.paths],
            "unit": value.unit or value.measurement.unit,
            "becomes": value.measurement.unit,
        }
        for reading in profile.readings
        for value in reading.values
    ]
