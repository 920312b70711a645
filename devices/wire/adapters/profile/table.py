"""One table of a TOML text: its keys one after the other, each mistake with its line and column.

Must not know which keys a profile has or what they mean (devices.wire.adapters.profile.parse).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from devices.suggestion import meant
from devices.wire.adapters.profile.errors import ProfileError
from devices.wire.adapters.profile.paths import ValuePath, parse_path
from devices.wire.adapters.profile.places import Place, Steps

T = TypeVar("T")


class Mistakes:
    """The mistakes of one text, and where its keys stand."""

    def __init__(self, file: str, places: Mapping[Steps, Place]) -> None:
        self._file = file
        self._places = places
        self.errors: list[ProfileError] = []

    def add(self, steps: Steps, message: str, suggestion: str | None = None) -> None:
        """Add a mistake at a key, or at the nearest table around it that has a place."""
        while steps and steps not in self._places:
            steps = steps[:-1]
        line, column = self._places.get(steps, (1, 1))
        self.errors.append(
            ProfileError(message, file=self._file, line=line, column=column, suggestion=suggestion)
        )


class ProfileTable:
    """One table; `steps` say where it stands. What is wrong is a mistake, and a default is given."""

    def __init__(
        self, members: Mapping[str, Any], steps: Steps, mistakes: Mistakes, known: Iterable[str]
    ) -> None:
        self.members, self.steps, self._mistakes = members, steps, mistakes
        names = sorted(known)
        for key in members:
            if key not in names:
                self.wrong(key, f"unknown key {key!r}; {meant(key, names)}")

    def __contains__(self, key: str) -> bool:
        return key in self.members

    def wrong(self, key: str, message: str, suggestion: str | None = None) -> None:
        """Add a mistake at one of its keys; an empty key is the table itself."""
        self._mistakes.add((*self.steps, key) if key else self.steps, message, suggestion)

    def one(self, key: str, type_: type[T], default: T, said: str) -> T:
        """Return a value of one type; `said`: what it should be."""
        value = self.members.get(key, default)
        if type(value) is not type_:
            self.wrong(key, f"{key} is {said}, not {value!r}")
            return default
        return value

    def text(self, key: str, default: str = "", needed: bool = False) -> str:
        """Return a text; one that is needed is not empty."""
        value = self.one(key, str, default, "a text")
        if needed and not value:
            self.wrong(key, f"{key} is missing")
        return value

    def number(self, key: str, default: float) -> float:
        """Return a number."""
        value = self.members.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong(key, f"{key} is a number, not {value!r}")
            return default
        return float(value)

    def whole(self, key: str, low: int | None = None, high: int | None = None) -> int | None:
        """Return a whole number within limits, None where there is none."""
        value = self.members.get(key)
        if value is None:
            return None
        fits = type(value) is int and (low is None or value >= low) and (high is None or value <= high)
        if not fits:
            within = (
                "" if low is None else f" of at least {low}" if high is None else f" from {low} to {high}"
            )
            self.wrong(key, f"{key} is a whole number{within}, not {value!r}")
            return None
        assert isinstance(value, int)
        return value

    def path(self, key: str) -> ValuePath | None:
        """Return a path, None where there is none."""
        return self._path(key, self.members[key]) if key in self.members else None

    def paths(self, key: str) -> tuple[ValuePath, ...]:
        """Return one path or several."""
        value = self.members.get(key, [])
        several = value if isinstance(value, list) else [value]
        return tuple(path for entry in several if (path := self._path(key, entry)) is not None)

    def table(self, key: str, known: Iterable[str]) -> ProfileTable | None:
        """Return a table within it, None where there is none."""
        value = self.members.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.wrong(key, f"{key} is a table such as [{key}]")
            return None
        return ProfileTable(value, (*self.steps, key), self._mistakes, known)

    def tables(self, key: str, known: Iterable[str]) -> list[ProfileTable]:
        """Return the tables of a list; a single table is a list of one."""
        value = self.members.get(key, [])
        if isinstance(value, dict):
            return [ProfileTable(value, (*self.steps, key), self._mistakes, known)]
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.wrong(key, f"{key} is a list of tables: write [[{key}]] before each")
            return []
        names = list(known)
        return [
            ProfileTable(entry, (*self.steps, key, i), self._mistakes, names) for i, entry in enumerate(value)
        ]

    def _path(self, key: str, value: object) -> ValuePath | None:
        if not isinstance(value, str):
            self.wrong(key, f"{key} is a path such as a.b[0].c, not {value!r}")
            return None
        try:
            return parse_path(value)
        except ValueError as error:
            self.wrong(key, f"{key}: {error}")
            return None
