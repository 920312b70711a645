"""What a command is for one model: bytes with its arguments in them, or values for the vendor's codec. Pure.

Must not know how a profile is written, and runs no codec.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Argument
from devices.wire.adapters.downlink import NotEncoded
from devices.wire.adapters.profile.fields import Order, size_of
from devices.wire.adapters.profile.units import Linear

PLACE = re.compile(r"\{([^{}]*)\}")
"""Where an argument goes, in hexadecimal and in texts for a codec."""
_NEAR = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedArgument:
    """An argument as bytes. linear: what a number is multiplied with, then what is added.

    rounds: it need not be whole as it was given; else a number that is not whole in its bytes is refused.
    """

    argument: Argument
    type: str
    order: Order = "big"
    linear: Linear = (1.0, 0.0)
    rounds: bool = False

    def encode(self, value: float | bool) -> bytes:
        """Return the bytes of a value.

        Raises:
            NotEncoded: it does not fit.
        """
        try:
            return self._encoded(float(value) * self.linear[0] + self.linear[1], value)
        except OverflowError:
            raise NotEncoded(f"{self.argument.name}: {value!s:.40} does not fit into {self.type}") from None

    def _encoded(self, number: float, value: float) -> bytes:
        if not math.isfinite(number):
            raise OverflowError
        if self.type.startswith("f"):
            form = (">" if self.order == "big" else "<") + ("f" if self.type == "f32" else "d")
            return struct.pack(form, number)
        whole = round(number)
        if not self.rounds and abs(number - whole) > _NEAR:
            raise NotEncoded(f"{self.argument.name}: {value:g} would be {number:g} there, which is not whole")
        return whole.to_bytes(size_of(self.type), self.order, signed=self.type.startswith("i"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDownlink:
    """How one command is said to the devices of a profile.

    parts: bytes and arguments in their order; empty: the profile's codec makes the bytes, of `data`.
    port: None: the codec says it.
    """

    command: str
    port: int | None
    confirmed: bool
    parts: tuple[bytes | EncodedArgument, ...] = ()
    data: Mapping[str, object] | None = None

    def payload(self, args: Mapping[str, Any]) -> bytes:
        """Return the bytes of a command that needs no codec.

        Raises:
            NotEncoded: an argument is missing or does not fit.
        """
        return b"".join(
            part if isinstance(part, bytes) else part.encode(_given(part.argument.name, args))
            for part in self.parts
        )

    def values(self, args: Mapping[str, Any]) -> dict[str, object]:
        """Return what the codec encodes.

        Raises:
            NotEncoded: an argument is missing.
        """
        found = _filled(self.data or {}, args)
        assert isinstance(found, dict)
        return found


def _given(name: str, args: Mapping[str, Any]) -> Any:
    if args.get(name) is None:
        raise NotEncoded(f"{name} is missing: the device wants it")
    return args[name]


def _filled(value: object, args: Mapping[str, Any]) -> object:
    if isinstance(value, str) and (match := PLACE.fullmatch(value)):
        return _given(match[1], args)
    if isinstance(value, Mapping):
        return {key: _filled(entry, args) for key, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, args) for entry in value]
    return value
