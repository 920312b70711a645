"""What is compiled for rules. Pure data."""

from __future__ import annotations

from devices.compiled.part import CompiledPart
from devices.compiled.part import constants as of
from rules.context.compiled import constants

_TIMES, _DEVICES = ("int64", "int64", "uint8"), ("int64", "int64", "int64")
_NUMBERS, _BITS, _INSTANTS = "float64:2", "int64:2", "int64:2"
_ROWS, _OWNERS = "float64", "int64"
_KEPT = (_OWNERS, _NUMBERS, _INSTANTS)

PART = CompiledPart(
    name="rules",
    package="rules.context.compiled",
    modules=(),
    agreed=of(constants),
    functions={
        "last": (
            "int64", *_TIMES, *_DEVICES, _BITS, _INSTANTS, _ROWS, _ROWS, _ROWS, *_KEPT,
        ),
        "held": ("int64", "uint8", *_DEVICES, _BITS, _ROWS, _ROWS, _OWNERS, _NUMBERS),
        "total": ("int64", *_TIMES, *_DEVICES, _BITS, _INSTANTS, _ROWS, _ROWS, *_KEPT),
        "of_readings": (
            "int64", *_TIMES, *_DEVICES, _BITS, _INSTANTS, _ROWS, _ROWS, _ROWS, *_KEPT,
        ),
        "within": (
            "int64", *_TIMES, *_DEVICES, _INSTANTS, _ROWS, _ROWS, _ROWS, _OWNERS, _INSTANTS, _OWNERS,
            _INSTANTS, "int64",
        ),
        "flat": (
            "int64", "float64", *_TIMES, *_DEVICES, _BITS, _INSTANTS, _ROWS, "int64", "int64", _ROWS,
            *_KEPT,
        ),
        "interleaved": (
            "int64", *_TIMES, *_DEVICES, _INSTANTS, "int64", "int64", _ROWS, _OWNERS, _INSTANTS, _OWNERS,
            _INSTANTS,
        ),
        "slots": (
            "int64", "int64", "uint8", *_DEVICES, _BITS, _INSTANTS, _ROWS, _ROWS, _ROWS, _OWNERS, _NUMBERS,
            _INSTANTS, _OWNERS, "int64", "float64", "float64", "float64", "uint8",
        ),
        "pace": (
            "int64", "int64", "int64", "uint8", *_DEVICES, *["int64"] * 6, _ROWS, "uint8", "int64", "uint8",
            _OWNERS, _INSTANTS, _OWNERS, "int64",
        ),
        "windows": (
            *_DEVICES, "uint8", "int64", "uint8", "int8", "int64", "int8:2", "int8", "int8:2",
        ),
    },
)  # fmt: skip
