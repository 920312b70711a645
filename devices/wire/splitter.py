"""Takes gateways' messages apart: by the compiled kernel where there is one, and exactly what it leaves."""

from __future__ import annotations

from collections.abc import Sequence

from devices.wire import gateway
from devices.wire.compiled import relayed
from devices.wire.compiled.scan import Kernel
from devices.wire.gateway import Relayed
from devices.wire.rejected import Rejected

_BYTES = 100
"""Of one element, about."""


class Splitter:
    """Splits the messages of a batch. `kernel`: as for Decoder."""

    def __init__(self, kernel: Kernel | None = None) -> None:
        self._kernel = kernel or Kernel()

    def split(
        self, messages: Sequence[int], payloads: Sequence[bytes]
    ) -> list[tuple[list[Relayed], list[Rejected]]]:
        """Return the elements of each payload, and what of it names no kind or device.

        Args:
            messages: the index of each payload in the batch.
        """
        scan = self._kernel.scan
        if scan is None or sum(map(len, payloads)) < max(self._kernel.few * _BYTES, 1):
            return [_exactly(message, payload) for message, payload in zip(messages, payloads, strict=True)]
        found, left = relayed.scanned(scan, messages, payloads)
        answer: list[tuple[list[Relayed], list[Rejected]]] = [(elements, []) for elements in found]
        for index in left:
            answer[index] = _exactly(messages[index], payloads[index])
        return answer


def _exactly(message: int, payload: bytes) -> tuple[list[Relayed], list[Rejected]]:
    rejected: list[Rejected] = []
    return gateway.split(message, payload, rejected), rejected
