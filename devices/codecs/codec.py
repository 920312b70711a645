"""A codec, what it answers, and how it fails. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

MAX_SOURCE_BYTES: Final = 262_144
"""Longest codec; The Things Stack takes 40 KiB from a user, and more from its repository of devices."""


class CodecFailed(ValueError):
    """A codec did not decode or encode; `reason` is what to show whoever looks after the codec."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CodecTooSlow(CodecFailed):
    """A codec was stopped at the limit of time."""


class CodecsAway(OSError):
    """No process for codecs could be started or answered; the message may be tried again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """JavaScript source, as its vendor gives it.

    name: what logs and counts call it; its file's name.
    digest: of the source; by it a process knows what it has compiled already.
    """

    name: str
    source: str
    digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        encoded = self.source.encode()
        if len(encoded) > MAX_SOURCE_BYTES:
            raise CodecFailed(f"{self.name} has {len(encoded)} bytes; a codec may have {MAX_SOURCE_BYTES}")
        object.__setattr__(self, "digest", sha256(encoded).hexdigest())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a codec from its file.

        Raises:
            OSError: the file cannot be read.
            CodecFailed: it is not UTF-8, or too long.
        """
        with path.open("rb") as file:
            encoded = file.read(MAX_SOURCE_BYTES + 1)
        try:
            return cls(name=path.name, source=encoded.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise CodecFailed(f"{path.name} is not UTF-8: byte {error.start}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedUplink:
    """What a codec made of one uplink: its `data`, and what it or the sandbox remarks on."""

    values: Mapping[str, object]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDownlink:
    """What a codec made of one command. `port`: None where the codec names none."""

    payload: bytes
    port: int | None = None
    warnings: Sequence[str] = ()
