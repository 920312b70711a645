"""Whether compiled code decodes as the exact path does, tried before anybody uses it. Pure.

Few payloads, all ways through the kernel: enough to notice a compiler or processor for which it is wrong. It
is tried where it was compiled, so that code that ends its process ends that one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from devices.compiled.part import Function
from devices.kinds.kind import Kind, Measurement, Reporting, ValueType
from devices.wire.compiled.constants import INCOMPLETE
from devices.wire.compiled.scan import Kernel
from devices.wire.decode import Decoder
from devices.wire.splitter import Splitter

KIND = Kind(
    name="trial",
    title={},
    headline="level",
    measurements=(
        Measurement(name="level", bit=8),
        Measurement(name="open", bit=9, type=ValueType.BOOLEAN),
        Measurement(name="phase", bit=10, type=ValueType.TEXT),
    ),
    reporting=(Reporting(every_s=60),),
)
PAYLOADS = [
    b'{"ts":1790000000000,"boot":3,"seq":18,"level":40.5,"open":true,"phase":"idle"}',
    b' { "ts" : 1790000000.125 , "level" : -1.25e-3 , "open" : false , "phase" : null }\n',
    b'{"ts":"2028-02-29T23:59:59.123456789+02:30","level":123456789012345,"phase":"idle"}',
    '{"ts":1790000000000000,"phase":"é حاوية 🚁","é":"🚁","x":1.50,"x":-7,"y":null,"level":0.1}'.encode(),
    b'[{"level":1,"seq":9007199254740993},{"ts":null,"level":2e22},{"kind":"x","device":"y","relayed":true}]',
    b'[{"kind":"bin","device":"b1","ts":1,"level":1},{"device":"b2","kind":"bin","relayed":true,"raw2":"q"}]',
    b'{"level":1e400}',
    b'{"level":"1"}',
    b'{"ts":"2026-02-29T00:00:00Z","level":1}',
    b'{"phase":"\xc3"}',
    b'{"a":{"b":[1]},"level":1}',
    b'{"phase":"\\u0000"}',
    b'[{"level":1},{"level":',
    b"",
]


# With packet id 258 and a new topic; without one, with the topic of number 0, and nothing; cut.
PACKETS = b"\x32\x0f\x00\x03a/b\x01\x02\x00{},{},\xff\x30\x04\x00\x01c\x00\x32\x08\x00\x01"


def agrees(functions: Mapping[str, Function]) -> bool:
    """Tell whether both paths make the same of every payload, and packets are read as they are."""
    return _decodes(Kernel(functions["scan"], few=0)) and _reads(functions["frame"])


def _reads(frame: Function) -> bool:
    used, keys = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1], dtype=np.uint64)
    table = np.array([0, -1, -1, -1], dtype=np.int32)
    topic_at, topics = np.array([[0, 0], [1, 0]]), np.frombuffer(bytearray(b"c   "), dtype=np.uint8)
    text, spans = np.zeros(16, dtype=np.uint8), np.zeros((2, 3), dtype=np.int64)
    counts, numbers = np.zeros((2, 3), dtype=np.int32), np.zeros(3, dtype=np.int32)
    packet_ids, names = np.zeros(3, dtype=np.int32), np.zeros((2, 3), dtype=np.int64)
    data = np.frombuffer(PACKETS, dtype=np.uint8)
    frame(
        data, used, keys, table, topic_at, topics,
        text, spans, counts, numbers, packet_ids, names,
    )  # fmt: skip
    return (
        used.tolist() == [2, 9, 23, INCOMPLETE, 2, 4]
        and text.tobytes() == b"{},{},\xff".ljust(16, b"\0")
        and spans.tolist() == [[0, 8, 0], [7, 8, 0]]
        and counts.tolist() == [[2, 0, 0], [2, 0, 0]]
        and numbers.tolist() == [1, 0, 0]
        and (topic_at.tolist(), topics.tobytes()) == ([[0, 1], [1, 3]], b"ca/b")
        and table.tolist() == [0, 1, -1, -1]
        and packet_ids.tolist() == [258, 0, 0]
        and names.tolist() == [[4, 21, 0], [3, 1, 0]]
    )


def _decodes(kernel: Kernel) -> bool:
    mine, refused = Decoder(KIND, kernel).decode(PAYLOADS)
    theirs, refused_exactly = Decoder(KIND).decode(PAYLOADS)
    columns = [(mine.values[name], column) for name, column in theirs.values.items()]
    columns += [
        (getattr(mine, n), getattr(theirs, n)) for n in ("message", "element", "instant", "boot", "seq")
    ]
    numbers = range(len(PAYLOADS))
    return (
        refused == refused_exactly
        and mine.extra.tolist() == theirs.extra.tolist()
        and all(np.array_equal(a, b, equal_nan=a.dtype == np.float64) for a, b in columns)
        and Splitter(kernel).split(numbers, PAYLOADS) == Splitter().split(numbers, PAYLOADS)
    )
