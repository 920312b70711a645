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
from pathlib import Path

import msgspec

from devices.kinds.kind import (
    FIRST_MEASUREMENT_BIT,
    Argument,
    ArgumentType,
    Attribute,
    AttributeType,
    Command,
    Kind,
    KindError,
    Measurement,
    Panel,
    Reporting,
    ValueType,
)


class _Measurement(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    bit: int | None = None
    unit: str = ""
    type: ValueType = ValueType.NUMBER
    low: float | None = None
    high: float | None = None
    error_codes: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    counter: bool = False
    label: dict[str, str] = {}


class _Reporting(msgspec.Struct, forbid_unknown_fields=True):
    every_s: float
    state: str = "normal"
    measurement: str | None = None
    one_of: tuple[str, ...] = ()
    at_least: float | None = None


class _Attribute(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    unit: str = ""
    type: AttributeType = AttributeType.NUMBER
    default: float | str | bool | None = None
    label: dict[str, str] = {}


class _Argument(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    type: ArgumentType = ArgumentType.NUMBER
    unit: str = ""
    low: float | None = None
    high: float | None = None
    required: bool = True
    label: dict[str, str] = {}


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: list[_Argument] = []
    label: dict[str, str] = {}


class _Panel(msgspec.Struct, forbid_unknown_fields=True):
    measurements: tuple[str, ...]
    title: dict[str, str] = {}


class _Kind(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    title: dict[str, str]
    measurements: list[_Measurement]
    reporting: list[_Reporting]
    headline: str = ""
    icon: str = "device"
    model: str = ""
    attributes: list[_Attribute] = []
    panels: list[_Panel] = []
    commands: list[_Command] = []


def read(path: Path) -> Kind:
    """Read one declaration.

    A measurement without `bit` takes its position, so TOML measurements may be appended but never
    reordered; give `bit` to be free of that.

    Raises:
        KindError: the file is not TOML, has an unknown key, or declares an unacceptable kind.
    """
    try:
        raw = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Kind)
        return _build(raw)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, KindError) as error:
        raise KindError(f"{path}: {error}") from error


def _build(raw: _Kind) -> Kind:
    fields = msgspec.structs.asdict
    measurements = tuple(
        Measurement(**{**fields(m), "bit": FIRST_MEASUREMENT_BIT + i if m.bit is None else m.bit})
        for i, m in enumerate(raw.measurements)
    )
    return Kind(
        name=raw.name,
        title=raw.title,
        icon=raw.icon,
        model=raw.model,
        headline=raw.headline or (raw.measurements[0].name if raw.measurements else ""),
        measurements=measurements,
        reporting=tuple(Reporting(**fields(r)) for r in raw.reporting),
        attributes=tuple(Attribute(**fields(a)) for a in raw.attributes),
        panels=tuple(Panel(**fields(p)) for p in raw.panels),
        commands=tuple(_command(c) for c in raw.commands),
    )


def _command(raw: _Command) -> Command:
    arguments = tuple(Argument(**msgspec.structs.asdict(a)) for a in raw.arguments)
    return Command(name=raw.name, arguments=arguments, label=raw.label)
