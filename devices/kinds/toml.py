"""Kinds that an operator declares in TOML, without Python (and so without derived values).

name = "walkway_counter"
title = {en = "Walkway counter", fr = "Compteur piéton", ar = "عداد مشاة"}
headline = "people"

[[measurements]]
name = "people"
unit = "1"
low = 0
high = 100000

[[reporting]]
every_s = 300
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from devices.kinds.kind import (
    FIRST_MEASUREMENT_BIT,
    Argument,
    Attribute,
    ChecklistItem,
    Command,
    Conclusion,
    Cycle,
    Kind,
    KindError,
    Measurement,
    ModelProperty,
    Panel,
    Reporting,
)
from devices.nesting import MAX_DEPTH, is_too_deep
from devices.suggestion import meant

_TABLES: Mapping[str, type] = {
    "measurements": Measurement,
    "reporting": Reporting,
    "attributes": Attribute,
    "conclusions": Conclusion,
    "panels": Panel,
    "commands": Command,
    "arguments": Argument,
    "configuration": Argument,
    "checklist": ChecklistItem,
    "cycle": Cycle,
    "properties": ModelProperty,
}
"""What an entry of each list, or a table of its own, declares."""


def read(path: Path) -> Kind:
    """Read one declaration.

    A measurement without `bit` takes its position, so TOML measurements may be appended but never
    reordered; give `bit` to be free of that.

    Raises:
        KindError: the file is not TOML, has an unknown key, or declares an unacceptable kind.
    """
    try:
        raw = _parsed(path.read_text(encoding="utf-8"))
        _check_keys(raw, Kind, "")
        return _convert(_with_defaults(raw))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KindError) as error:
        raise KindError(f"{path}: {error}") from error


def _parsed(text: str) -> dict[str, Any]:
    if is_too_deep(text):
        raise KindError(f"nested deeper than {MAX_DEPTH} levels")
    return tomllib.loads(text)


def _check_keys(table: Mapping[str, Any], declared: type, path: str) -> None:
    """Refuse unknown keys, which msgspec ignores in dataclasses, and words that are no choice."""
    types = get_type_hints(declared)
    known = {f.name for f in fields(declared)} - {"derived"}
    for key, value in table.items():
        if key not in known:
            raise KindError(f"{path}{key}: unknown key; {meant(key, known)}")
        choices = types[key]
        if isinstance(choices, type) and issubclass(choices, StrEnum) and value not in [*choices]:
            raise KindError(f"{path}{key}: {value!r} is no choice; {meant(str(value), map(str, choices))}")
        if key in _TABLES and isinstance(value, dict):
            _check_keys(value, _TABLES[key], f"{path}{key}.")
        if key in _TABLES and isinstance(value, list):
            for position, entry in enumerate(value):
                if isinstance(entry, dict):
                    _check_keys(entry, _TABLES[key], f"{path}{key}[{position}].")


def _with_defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declaration with the bits of its measurements and its headline, where they are left out."""
    measurements = raw.get("measurements")
    if not isinstance(measurements, list) or not all(isinstance(m, dict) for m in measurements):
        return dict(raw)  # refused when it is converted
    headline = next((m["name"] for m in measurements if "name" in m), "")
    numbered = [{"bit": FIRST_MEASUREMENT_BIT + i, **m} for i, m in enumerate(measurements)]
    return {"headline": headline, **raw, "measurements": numbered}


def _convert(raw: Mapping[str, Any]) -> Kind:
    """Return the kind.

    Raises:
        KindError: a key is missing, or a value has the wrong type; see also Kind.
    """
    try:
        return msgspec.convert(raw, Kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        path = path.strip("`.")
        raise KindError(f"{path}: {said}" if path else said) from None
