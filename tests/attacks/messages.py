"""Messages that no device should send: in the name of good devices, of strangers, of nobody; by one seed.

What is sent in the name of a good device can never be stored as a reading of its own: it is broken, or says
again what the device has said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tests.bad_input import cases
from tests.faults.publisher import Said, topic_of

BROKEN = (
    b"",
    b"\x00" * 64,
    b"[" * 20_000,
    b'{"ts":' * 5_000,
    b'{"ts": 1772350200000, "fill_pct": 1e400}',
    b'{"ts": NaN, "fill_pct": 1}',
    b'{"ts": "\\ud800", "fill_pct": 1}',
    b'{"ts": {"ts": 1}, "fill_pct": 1}',
    b'{"ts": true, "fill_pct": 1}',
    b'{"ts": "yesterday", "fill_pct": 1}',
    b'{"ts": -1, "fill_pct": 1}',
    b'{"ts": ' + b"9" * 4_000 + b', "fill_pct": 1}',
    b"[" + b",".join([b"{}"] * 1_001) + b"]",
    b"[[], null, 1, true, [[]]]",
    '{"ts": 1772350200000}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
    b'{"a": "' + b"x" * 70_000 + b'"}',
    b"\xff\xfe\xfd",
)
"""Nothing of it is a reading, with a time of its own or without."""

TOPICS = (
    "nabd/v1/TRIPOLI/bin/{device}/telemetry",
    "nabd/v1/nowhere/bin/{device}/telemetry",
    "nabd/v1/tripoli/light/{device}/telemetry",
    "nabd/v1/tripoli/no_such_kind/{device}/telemetry",
    "nabd/v1/tripoli/gateway/{device}/telemetry",
    "nabd/v1/tripoli/bin/../telemetry",
    "nabd/v1/tripoli/bin/'; DROP TABLE shard; --/telemetry",
    "nabd/v1/tripoli/bin/" + "x" * 5_000 + "/telemetry",
    "nabd/v1////telemetry",
    "nabd/v1/tripoli/bin/طرابلس/telemetry",
)
CORPUS = [payload for case in cases() if case.arrives for payload in case.payloads]
ODD = (b"", b"online\x00", b"\xff", b"[" * 5_000, b"x" * 60_000, b'{"id": 1e400}', b'{"id": "\\ud800"}')


class Hostile:
    """Makes hostile messages; `good` are readings that the broker has taken from their devices."""

    def __init__(self, seed: int, devices: list[str], good: Callable[[], list[Said]]) -> None:
        self._random = Random(seed)
        self._devices = devices
        self._good = good
        self._stranger = 0

    def message(self) -> Said:
        """Return the next message."""
        kind = self._random.choice(
            (self._broken, self._repeated, self._changed, self._foreign, self._strange)
        )
        return kind()

    def _broken(self) -> Said:
        """In a good device's name, what cannot be read; or what it read, cut or with one byte changed."""
        topic = topic_of(self._random.choice(self._devices))
        said = self._chosen()
        if said is None or self._random.random() < 0.7:
            return _said(topic, self._random.choice(BROKEN))
        return _said(said.topic, said.payload[: self._random.randrange(len(said.payload) - 1)])

    def _repeated(self) -> Said:
        """A good reading once more, alone, or many times in one message."""
        said = self._chosen()
        if said is None:
            return self._foreign()
        times = self._random.choice((1, 1, 2, 300))
        return _said(said.topic, b"[" + b",".join([said.payload] * times) + b"]")

    def _changed(self) -> Said:
        """Other values for an instant that a device has told already."""
        said = self._chosen()
        if said is None:
            return self._foreign()
        values = json.loads(said.payload) | {"fill_pct": self._random.choice((-5, 3.25, 1e308, "full", []))}
        return _said(said.topic, json.dumps(values).encode())

    def _foreign(self) -> Said:
        """Anything, in the name of one nobody knows."""
        self._stranger += 1
        payload = self._random.choice(CORPUS)
        return _said(topic_of(f"h{self._stranger % 500}"), payload)

    def _strange(self) -> Said:
        """On topics that lead nowhere, and on channels where only a word is expected."""
        device = self._random.choice(self._devices)
        if self._random.random() < 0.5:
            topic = self._random.choice(TOPICS).format(device=device)
            return _said(topic, self._random.choice(CORPUS))
        channel = self._random.choice(("presence", "response"))
        return _said(topic_of(device, channel), self._random.choice(ODD))

    def _chosen(self) -> Said | None:
        good = self._good()
        return self._random.choice(good) if good else None


def _said(topic: str, payload: bytes) -> Said:
    return Said(
        topic=topic,
        payload=payload,
        device="",
        boot=None,
        seq=None,
        ts=0,
        observed_at=0,
        hash="",
        bad="hostile",
    )
