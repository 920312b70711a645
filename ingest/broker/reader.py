"""PUBLISH packets by the compiled kernel, many at a time. Must not know what messages mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Function
from devices.wire.compiled.constants import FULL
from devices.wire.packed import PackedPayloads
from ingest.broker.received import ReceivedMessages
from ingest.broker.topics import HASH, Topics, TopicTable

_MOST = 4_096
"""Messages at a time."""
_ROOM = 512 * 1024


class KernelReader:
    """Reads packets; one of a session."""

    def __init__(self) -> None:
        self._text = np.empty(_ROOM, dtype=np.uint8)
        self._spans, self._names = np.empty((2, _MOST), dtype=np.int64), np.empty((2, _MOST), dtype=np.int64)
        self._counts = np.empty((2, _MOST), dtype=np.int32)
        self._numbers, self._packet_ids = np.empty(_MOST, dtype=np.int32), np.empty(_MOST, dtype=np.int32)
        self._hashes = np.empty(_MOST, dtype=np.uint64)

    def read(
        self, frame: Function, data: bytes, begin: int, table: TopicTable, received_at: int
    ) -> tuple[ReceivedMessages, int, bool]:
        """Return the messages of packets of `data` from one that begins there on, as far as that is certain.

        Also where the last of these ends, and whether only room was lacking: else the next packet has not
        come whole, or is left to the codec.
        """
        if len(self._text) < 2 * len(data):
            self._text = np.empty(2 * len(data), dtype=np.uint8)
        used = np.array((0, 0, begin, 0), dtype=np.int64)
        frame(
            np.frombuffer(data, dtype=np.uint8), used, HASH, table.places, table.at, table.text,
            self._text, self._spans, self._counts, self._numbers, self._packet_ids, self._names, self._hashes,
        )  # fmt: skip
        n, size, end, why = used.tolist()
        numbers = self._numbers[:n].copy()
        own = self._learn(data, numbers, table)
        braces, commas = self._counts[:, :n].copy()
        begins, ends = self._spans[:, :n].copy()
        messages = ReceivedMessages(
            topics=Topics(table.names, numbers, own),
            payloads=PackedPayloads(self._text[:size].tobytes(), begins, ends, braces, commas),
            packet_ids=self._packet_ids[:n].astype(np.int64),
            received_at=received_at,
            size=end - begin,
        )
        return messages, end, why == FULL

    def _learn(self, data: bytes, numbers: NDArray[np.int32], table: TopicTable) -> dict[int, str]:
        """Number the topics that the kernel did not find; return those that get no number, by message."""
        own = {}
        new = np.flatnonzero(numbers < 0)
        spans = zip(*self._names[:, new].tolist(), self._hashes[new].tolist(), strict=True)
        for message, (begin, length, hashed) in zip(new.tolist(), spans, strict=True):
            topic = data[begin : begin + length]
            name = topic.decode("ascii")
            number = table.number(name)
            if number < 0:
                own[message] = name
            else:
                table.place(number, topic, hashed)
            numbers[message] = number
        return own
