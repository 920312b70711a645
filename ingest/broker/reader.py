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
"""Bytes of payloads at first; as many as come at once."""


class KernelReader:
    """Reads packets; one of a session."""

    def __init__(self) -> None:
        self._text = np.empty(_ROOM, dtype=np.uint8)
        self._spans, self._names = np.empty((2, _MOST), dtype=np.int64), np.empty((2, _MOST), dtype=np.int64)
        self._counts = np.empty((2, _MOST), dtype=np.int32)
        self._numbers, self._packet_ids = np.empty(_MOST, dtype=np.int32), np.empty(_MOST, dtype=np.int32)

    def read(
        self, frame: Function, data: bytes, begin: int, table: TopicTable, received_at: int
    ) -> tuple[ReceivedMessages, int, bool]:
        """Return the messages of packets of `data` from one that begins there on, as far as that is certain.

        Also where the last of these ends, and whether only room was lacking: else the next packet has not
        come whole, or is left to the codec.
        """
        if len(self._text) < len(data):  # a packet is longer than its payload and a NUL
            self._text = np.empty(len(data), dtype=np.uint8)
        used = np.array((0, 0, begin, 0, len(table.names), table.topic_bytes), dtype=np.int64)
        frame(
            np.frombuffer(data, dtype=np.uint8), used, HASH, table.places, table.at, table.text,
            self._text, self._spans, self._counts, self._numbers, self._packet_ids, self._names,
        )  # fmt: skip
        n, size, end, why, topics, topic_bytes = used.tolist()
        table.numbered(topics, topic_bytes)
        numbers = self._numbers[:n].copy()
        unnumbered = self._without_number(data, numbers, table)
        braces, commas = self._counts[:, :n].copy()
        begins, ends = self._spans[:, :n].copy()
        messages = ReceivedMessages(
            topics=Topics(table.names, numbers, unnumbered),
            payloads=PackedPayloads(self._text[:size].tobytes(), begins, ends, braces, commas),
            packet_ids=self._packet_ids[:n].astype(np.int64),
            received_at=received_at,
            size=end - begin,
        )
        return messages, end, why == FULL

    def _without_number(self, data: bytes, numbers: NDArray[np.int32], table: TopicTable) -> dict[int, str]:
        """Number topics for which the kernel had no place; return those that get no number, by message.

        They are few, and looked up by text whenever they come.
        """
        unnumbered = {}
        for message in np.flatnonzero(numbers < 0).tolist():
            begin, length = self._names[:, message].tolist()
            topic = data[begin : begin + length].decode("ascii")
            numbers[message] = number = table.number(topic)
            if number < 0:
                unnumbered[message] = topic
        return unnumbered
