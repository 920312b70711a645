"""What goes through the pipes between us and a process for codecs: a length, and MessagePack. Pure.

What comes back was written by a process that ran foreign code: every bound is checked again by who reads it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

LENGTH_BYTES: Final = 4
SLACK_BYTES: Final = 4096
"""So much longer than the codec's output may an answer be."""

Entry = Literal["decode", "encode", "check"]


class CodecCall(msgspec.Struct, frozen=True, array_like=True):
    """One call of a codec.

    digest: which codec. source: its text, where the process said that it does not know it.
    argument: the JSON of the function's argument.
    """

    digest: str
    entry: Entry
    argument: str
    source: str | None = None


class CodecAnswer(msgspec.Struct, frozen=True, array_like=True):
    """What came of it. text: the JSON of what was returned, else why it failed; "" for an unknown codec.

    late: it failed at the limit of time.
    """

    outcome: Literal["returned", "failed", "late", "unknown"]
    text: str


class SandboxReady(msgspec.Struct, frozen=True, array_like=True):
    """The first frame of a process: it is confined and waits. confined: by seccomp too, not limits alone."""

    engine: str
    confined: bool


def framed(message: CodecCall | CodecAnswer | SandboxReady) -> bytes:
    """Return the message with its length before it."""
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes) -> int:
    """Return how many bytes follow."""
    return int.from_bytes(head, "big")
