"""What is compiled for decoding. Pure data."""

from __future__ import annotations

from devices.compiled.part import CompiledPart
from devices.compiled.part import constants as of
from devices.wire.compiled import constants

PART = CompiledPart(
    name="decoder",
    package="devices.wire.compiled",
    modules=("lexemes", "frames"),
    agreed=of(constants),
    functions={
        "scan": (
            "uint8", "int64:2", "uint8", "int64", "int32", "int64", "int64", "uint64", "float64:2", "int32:2",
            "int64:2", "int64", "int64:2", "uint8", "int64:2", "int32", "int32", "int64:2", "int64", "int32",
            "int32", "uint8",
        ),
        "frame": (
            "uint8", "int64", "uint64", "int32", "int64:2", "uint8",
            "uint8", "int64:2", "int32:2", "int32", "int32", "int64:2",
        ),
    },
)  # fmt: skip
