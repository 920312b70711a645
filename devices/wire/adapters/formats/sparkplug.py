"""Sparkplug B: births, data and deaths of edge nodes and the devices below them.

Pure: who reads it hands on what comes in the order of its arrival, asks for rebirths where an event says so
(`rebirth_request`), and asks for what is overdue. Devices are called GROUP:NODE and GROUP:NODE:DEVICE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from devices.wire.adapters.formats import sparkplug_payload
from devices.wire.adapters.formats.bounded import named
from devices.wire.adapters.formats.edge_node import EdgeNode, SparkplugKind, SparkplugMessage
from devices.wire.adapters.formats.heard import Heard
from devices.wire.adapters.uplink import Unreadable

_NAMESPACE: Final = "spBv1.0"
_NOT_OURS: Final = frozenset({"NCMD", "DCMD", "STATE"})
"""What hosts say: no word of a device."""
MAX_NODES: Final = 10_000
"""Most edge nodes that one source may have."""


@dataclass(slots=True)
class Sparkplug:
    """Reads the messages of all edge nodes of one source; see heard.FormatReader."""

    _nodes: dict[str, EdgeNode] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def read(self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False) -> Heard:
        """Return what a message says, and others that have waited for it.

        Raises:
            Unreadable: the topic or the payload is not Sparkplug's.
        """
        parts = topic.split("/")
        if parts[0] != _NAMESPACE or len(parts) < 3:
            raise Unreadable(f"{topic[:80]!r}: expected {_NAMESPACE}/GROUP/MESSAGE/NODE")
        if _NOT_OURS & {parts[1], parts[2]}:
            return Heard()
        if parts[2] not in SparkplugKind.__members__:
            raise Unreadable(f"{parts[2][:40]!r} is no message of Sparkplug: {', '.join(SparkplugKind)}")
        kind = SparkplugKind(parts[2])
        if len(parts) != (5 if kind.startswith("D") else 4):
            raise Unreadable(
                f"{topic[:80]!r}: a {kind} names a {'device' if kind[0] == 'D' else 'node'} last"
            )
        message = SparkplugMessage(
            number=next(self._numbers),
            topic=topic,
            kind=kind,
            device=named(parts[4], "a device") if len(parts) == 5 else "",
            payload=sparkplug_payload.read_payload(payload),
            raw=payload,
            received_at=received_at,
        )
        return self._node(named(f"{parts[1]}/{parts[3]}", "a node")).read(message)

    def overdue(self, now: int) -> Heard:
        heard = Heard()
        for node in self._nodes.values():
            heard.add(node.overdue(now))
        return heard

    def _node(self, name: str) -> EdgeNode:
        if name not in self._nodes and len(self._nodes) >= MAX_NODES:
            raise Unreadable(f"the node {name!r} is one too many: {MAX_NODES} at most")
        return self._nodes.setdefault(name, EdgeNode(name))


def rebirth_request(node: str) -> tuple[str, bytes]:
    """Return topic and payload that ask an edge node (GROUP/NODE, as in its topics) to be born again."""
    group, _, name = node.partition("/")
    return f"{_NAMESPACE}/{group}/NCMD/{name}", sparkplug_payload.rebirth_request()
