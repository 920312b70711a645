"""Payloads of one kind to columns: by the compiled kernel where there is one, and exactly what it leaves.

Both give the same for every payload (tests/unit/wire/compiled); docs/adr/0024 says why there are two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from devices.kinds.kind import Kind
from devices.wire import elements
from devices.wire.compiled.columns import ColumnScanner
from devices.wire.compiled.scan import Kernel
from devices.wire.decoded import Decoded, joined
from devices.wire.exact import ExactDecoder
from devices.wire.rejected import Reason, Rejected


class Decoder:
    """Decodes payloads of one kind; may be used by several threads at a time.

    Args:
        kernel: where the compiled scan is found once there is one, at the next call; None: never.
    """

    def __init__(self, kind: Kind, kernel: Kernel | None = None) -> None:
        self.kind = kind
        self._exact = ExactDecoder(kind)
        self._kernel = kernel or Kernel()
        self._scanner = ColumnScanner(kind)

    def decode(self, payloads: Sequence[bytes]) -> tuple[Decoded, list[Rejected]]:
        """Decode a batch of payloads.

        Returns:
            Everything that can be stored, and a Rejected for each element or message that cannot, by message.
        """
        scan = self._kernel.scan
        if scan is None or len(payloads) < max(self._kernel.few, 1):
            return self._exact.decode(payloads)
        decoded, flagged = self._scanner.scanned(scan, payloads)
        if not len(flagged):
            return decoded, []
        rest, rejected = self._exact.decode([payloads[message] for message in flagged.tolist()])
        rest.message = flagged[rest.message]
        return _in_order(decoded, rest), [replace(r, message=int(flagged[r.message])) for r in rejected]

    def reject(
        self, message: int, payload: bytes, element: int, reason: Reason, detail: str, member: str = ""
    ) -> Rejected:
        """Return the rejection of one element of a payload that decoded.

        Args:
            message: the payload's index.
            element: position in its array, as in Decoded.
            member: what of it is at fault, empty for all of it.
        """
        return elements.rejection(message, payload, element, reason, detail, member)

    def pointer(self, element: int, member: str = "") -> str:
        """Return where an element, or one of its members, stands in its payload."""
        return elements.pointer(element, member)


def _in_order(decoded: Decoded, rest: Decoded) -> Decoded:
    """Return the rows of both by message."""
    if not len(rest):
        return decoded
    both = joined([decoded, rest])
    return both.take(np.argsort(both.message, kind="stable"))
