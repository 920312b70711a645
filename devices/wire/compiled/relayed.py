"""What the kernel makes of gateways' messages: elements as their devices would have sent them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from devices.compiled.part import Function
from devices.wire import elements
from devices.wire.compiled.constants import BOOLEAN, EXACT, TEXT
from devices.wire.compiled.scanner import Scanner
from devices.wire.gateway import NUMBERED, Relayed
from devices.wire.raw import KEY as RAW

# All others are unknown to a gateway's message, and so is said again of each element what its device may say.
_scanner = Scanner(
    [("kind", TEXT, 0), ("device", TEXT, 1), (NUMBERED, BOOLEAN, 0), (RAW, EXACT, 0), ("refused", EXACT, 0)]
)


def scanned(
    scan: Function, messages: Sequence[int], payloads: Sequence[bytes]
) -> tuple[list[list[Relayed]], list[int]]:
    """Return the elements of each payload, and the indexes of payloads that are left to the exact path.

    Args:
        messages: for each payload the index that its elements are to have.
    """
    rows = _scanner.rows(scan, payloads)
    found: list[list[Relayed]] = [[] for _ in payloads]
    kinds, devices = rows.words[rows.codes].tolist()
    fields = zip(
        rows.message.tolist(), rows.position.tolist(), kinds, devices, (rows.numbers[0] == 1.0).tolist(),
        *rows.unknown.tolist(), *rows.lies.tolist(), strict=True,
    )  # fmt: skip
    for payload, position, kind, device, numbered, said, until, begin, end in fields:
        found[payload].append(
            Relayed(
                message=messages[payload],
                kind=kind,
                device=device,
                payload=rows.said[said:until] or b"{}",
                raw=rows.text[begin:end],
                pointer=elements.pointer(position),
                numbered=numbered,
            )
        )
    nameless = rows.message[(rows.codes < 0).any(axis=0)]
    return found, np.union1d(rows.left, nameless).tolist()
