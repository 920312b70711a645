"""Why something was not stored. The reasons are part of the contract with firmware engineers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
