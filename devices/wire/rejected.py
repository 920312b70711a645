"""Why something was not stored. The reasons are part of the contract with firmware engineers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from devices.wire import tokens


class Reason(StrEnum):
    """Reason of a rejection, as rows, counters and pages show it."""

    BAD_TOPIC = "bad_topic"
    UNKNOWN_MUNICIPALITY = "unknown_municipality"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_DEVICE = "unknown_device"
    MISPLACED = "misplaced"
    NOT_YOUR_DEVICE = "not_your_device"
    MALFORMED = "malformed"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    CONFLICT = "conflict"
    QUOTA = "quota"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One element, or one whole message, that is not stored.

    message: index of the message in the batch it came with.
    pointer: JSON pointer (RFC 6901) into the message, empty for the whole of it.
    payload: the offending element's bytes as sent.
    readings: how many readings it counts for in the ledger; a message that cannot be decoded counts one.
    """

    message: int
    reason: Reason
    detail: str
    payload: bytes
    pointer: str = ""
    readings: int = 1

    @property
    def number(self) -> tuple[int, int] | None:
        """`boot` and `seq` of the element; None where it carries none, or none that can be read.

        Nor where it was not looked at: who is told nothing of what was over its quota sends it again, later.
        """
        if self.reason is Reason.QUOTA:
            return None
        for payload in (self.payload, self._without_the_rest()):
            try:
                found = _numbered.decode(payload)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            return found.boot, found.seq
        return None

    def _without_the_rest(self) -> bytes:
        """Return the element with nothing but its numbers: another token may be what nobody can read."""
        try:
            numbers = [(k, v) for k, v in tokens.members(self.payload) if k in ("boot", "seq")]
        except ValueError:
            return b""
        return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in numbers) + b"}"


class _Numbered(msgspec.Struct):
    boot: int
    seq: int


_numbered = msgspec.json.Decoder(_Numbered)
