"""Elements on their way: what waits, what was sent and has no receipt yet, and what is to be sent again.

Pure; times are seconds of any clock that goes forward. Must not know MQTT.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from devices.wire import MAX_ELEMENTS, MAX_PAYLOAD
from devices.wire.channels import Receipt
from devices.wire.gateway import NUMBERED

RECEIPT_S = 20.0
"""Seconds after which an element without receipt is sent again; twice as long each time."""
LONGEST_S = 300.0
_DOUBLED = 10
"""Tries after which it is the longest pause in any case; 2 to the power of thousands is no float."""
_BRACKETS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one element once its batch was committed.

    reason: why it was rejected, as devices.wire.Reason has it; None where it is stored or was before.
    pointer: JSON pointer into the element to what is at fault, empty for all of it.
    """

    reason: str | None = None
    pointer: str = ""

    @property
    def settled(self) -> bool:
        """Tell whether the reading is stored, by this element or an earlier one."""
        return self.reason is None


@dataclass(slots=True, kw_only=True)
class Numbered:
    """One element: its number, its bytes, how often it was sent, and when it is sent again.

    due: infinite while it waits to be sent.
    """

    seq: int
    body: bytes
    tries: int = 0
    due: float = math.inf


@dataclass(slots=True, kw_only=True)
class Outstanding:
    """Everything of one start, `boot`, that has no receipt yet, by number."""

    boot: int
    pending: dict[int, Numbered] = field(default_factory=dict)
    _waiting: deque[Numbered] = field(default_factory=deque)
    _numbers: int = 0

    def add(self, element: Mapping[str, object]) -> int:
        """Queue an element; return its number.

        One that is larger than a message is sent as refused, so that it is seen.
        """
        self._numbers += 1
        numbers = {"boot": self.boot, "seq": self._numbers, NUMBERED: True}
        body = msgspec.json.encode({**element, **numbers})
        if len(body) > MAX_PAYLOAD - _BRACKETS:
            body = msgspec.json.encode({**_too_large(element, len(body)), **numbers})
        one = Numbered(seq=self._numbers, body=body)
        self.pending[one.seq] = one
        self._waiting.append(one)
        return one.seq

    def take(self, now: float) -> list[Numbered]:
        """Return what fits into one message and is sent now; empty when nothing waits."""
        found: list[Numbered] = []
        size = _BRACKETS
        while self._waiting and len(found) < MAX_ELEMENTS:
            one = self._waiting[0]
            if one.seq in self.pending:
                size += len(one.body) + 1
                if found and size > MAX_PAYLOAD:
                    break
                one.due = now + min(RECEIPT_S * 2 ** min(one.tries, _DOUBLED), LONGEST_S)
                one.tries += 1
                found.append(one)
            self._waiting.popleft()
        return found

    def sent(self) -> list[Numbered]:
        """Return what was sent and has no receipt."""
        return [one for one in self.pending.values() if one.due < math.inf]

    def overdue(self, now: float) -> list[Numbered]:
        """Return what was sent and should have had its receipt by now."""
        return [one for one in self.pending.values() if one.due <= now]

    def put_back(self, elements: Iterable[Numbered]) -> None:
        """Queue elements that were sent again, before all others and in their order."""
        again = sorted((one for one in elements if one.seq in self.pending), key=lambda one: one.seq)
        for one in again:
            one.due = math.inf
        self._waiting.extendleft(reversed(again))

    def heard(self, receipt: Receipt) -> dict[int, Outcome]:
        """Forget what a receipt settles; return the outcomes by number.

        What another start sent is not ours: it settles nothing.
        """
        if receipt.boot != self.boot:
            return {}
        rejected = {seq: (reason, pointer) for seq, reason, pointer in receipt.rejected}
        found: dict[int, Outcome] = {}
        for low, high in receipt.seq:
            few = high - low < len(self.pending)
            listed = range(low, high + 1) if few else [n for n in self.pending if low <= n <= high]
            for seq in listed:
                if self.pending.pop(seq, None) is not None:
                    reason, pointer = rejected.get(seq, (None, ""))
                    found[seq] = Outcome(reason=reason, pointer=pointer)
        return found

    def forget(self, seqs: Iterable[int]) -> int:
        """Drop elements that nobody waits for any more; return how many there were."""
        return sum(self.pending.pop(seq, None) is not None for seq in seqs)


def _too_large(element: Mapping[str, object], size: int) -> dict[str, object]:
    """Return what is sent instead of an element of which a message cannot hold one."""
    named = {"device": element["device"]} if "device" in element else {}
    return {**named, "refused": f"the element has {size:,} bytes, a message at most {MAX_PAYLOAD:,}"}
