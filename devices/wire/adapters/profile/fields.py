"""Numbers in bytes: what one field of a layout is, and how it is read. Pure."""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from devices.wire.adapters.profile.values import rounded

Order = Literal["big", "little"]

TYPES = ("u8", "i8", "u16", "i16", "u24", "i24", "u32", "i32", "u64", "i64", "f32", "f64", "hex:N", "text:N")
"""Types of fields: integers and floats by their bits; N bytes as hexadecimal or as text."""

_TYPE = re.compile(r"([ui])(8|16|24|32|64)|f(32|64)|(hex|text):([1-9]\d{0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadField:
    """One field. name: empty where it is only passed over. at: its first byte, None for after the one before;
    below 0 from the end. mask: which bits of an integer, moved down. bit: one of them, as yes or no.
    """

    name: str
    type: str
    at: int | None = None
    order: Order = "big"
    scale: float = 1.0
    add: float = 0.0
    mask: int | None = None
    bit: int | None = None

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return size_of(self.type)

    def read(self, raw: bytes) -> float | bool | str | None:
        """Return the value of its bytes; None for a float that is no number."""
        if self.type.startswith("hex"):
            return raw.hex()
        if self.type.startswith("text"):
            return raw.decode("utf-8", "replace").strip("\0 ")
        if self.type.startswith("f"):
            (number,) = struct.unpack(
                (">" if self.order == "big" else "<") + ("f" if len(raw) == 4 else "d"), raw
            )
            return rounded(number * self.scale + self.add) if math.isfinite(number) else None
        whole = int.from_bytes(raw, self.order, signed=self.type.startswith("i"))
        if self.bit is not None:
            return bool(whole >> self.bit & 1)
        if self.mask is not None:
            whole = (whole & self.mask) >> ((self.mask & -self.mask).bit_length() - 1)
        return whole if self.scale == 1.0 and self.add == 0.0 else rounded(whole * self.scale + self.add)


@lru_cache(maxsize=1_000)
def size_of(type_: str) -> int:
    """Return how many bytes a type has; 0 for what is none."""
    match = _TYPE.fullmatch(type_)
    if match is None:
        return 0
    return int(match[5]) if match[5] else int(match[2] or match[3]) // 8
