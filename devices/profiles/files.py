"""The profiles as they are now: read again once a file of the directory has changed.

A file with a mistake is told, and what ran of it stays (devices.profiles.load).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devices.kinds.kind import Kind
from devices.profiles import Profiles, load

_State = tuple[tuple[str, int, int], ...]


class ProfileFiles:
    """Profiles for a process that runs for long. One thread at a time may ask."""

    def __init__(self, kinds: Mapping[str, Kind], directory: Path | None = None) -> None:
        self._kinds = kinds
        self._directory = directory
        self._seen: _State | None = None
        self._profiles: Profiles | None = None

    def current(self) -> Profiles:
        """Return the profiles, read anew where a file has come, gone or changed since."""
        state = self._state()
        if self._profiles is None or state != self._seen:
            self._profiles = load(self._kinds, self._directory, self._profiles)
            self._seen = state
        return self._profiles

    def _state(self) -> _State:
        if self._directory is None:
            return ()
        found = []
        for path in sorted(self._directory.glob("*.toml")):
            try:
                status = path.stat()
            except OSError:
                continue  # it went away meanwhile; the next question sees that
            found.append((path.name, status.st_mtime_ns, status.st_size))
        return tuple(found)
