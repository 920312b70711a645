"""What was published, when, and what the broker said: one JSON line per publish attempt and reading.

The proof of a run compares these lines with the tables. Knows no MQTT.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from devices.kinds.kind import Kind
from firmware_sim.physics.model import Value

Clock = Literal["right", "ahead", "unset"]
"""How a device's clock stands; only a right clock's instant is what the platform must store."""

_BUFFER = 1 << 16


def canonical(values: Mapping[str, Value], leave_out: Collection[str] = ()) -> bytes:
    """Return measurement values in the one form that both sides hash.

    Compact JSON, names sorted, None left out, numbers as float64 by their shortest repr, booleans as
    true and false. `leave_out` names the derived measurements, which the platform may fill in.
    """
    said = {
        name: value if isinstance(value, bool | str) else float(value)
        for name, value in values.items()
        if value is not None and name not in leave_out
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(kind: Kind, values: Mapping[str, Value]) -> str:
    """Return the hash of a reading, without what the platform derives for this kind."""
    return hash_of(values, {d.measurement for d in kind.derived})


def hash_of(values: Mapping[str, Value], leave_out: Collection[str]) -> str:
    """Return the hash of measurement values."""
    return hashlib.sha256(canonical(values, leave_out)).hexdigest()


class PublishLine(msgspec.Struct, kw_only=True):
    """One attempt to publish one reading. Times are microseconds on the simulation's clock.

    observed_at: the instant that the platform must store; null when the clock is unset or the element
        has no instant. With clock "ahead" the stored instant is corrected by the receive time: match
        by device and hash.
    puback: the reason code; null when the link was lost first, so nobody knows whether it was stored.
    bad: the reason with which the platform must reject it, or null.
    repeat: whether an earlier attempt may have been stored already.
    """

    topic: str
    device: str
    kind: str
    observed_at: int | None
    ts: int | str | None
    clock: Clock
    boot: int | None
    seq: int | None
    hash: str
    values: dict[str, Value]
    published_at: int
    acked_at: int | None
    puback: int | None
    bad: str | None
    repeat: bool


class PublishLog:
    """Buffered writer of publish lines; one process, one writer."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER)
        self._encoder = msgspec.json.Encoder()

    def write(self, line: PublishLine) -> None:
        """Append one line to the buffer."""
        self._file.write(self._encoder.encode(line) + b"\n")

    def flush(self) -> None:
        """Hand the buffer to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()
