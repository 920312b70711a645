"""Bodies that no program should send: deep, huge, broken, in other encodings; the same for one seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

ODD_TEXTS = (
    "\x00",
    "\ud800",
    "\u202e",
    "a" * 300_000,
    "😀" * 5_000,
    "'; DROP TABLE alert; --",
    "{device}",
    "..",
    "",
)
ODD_NUMBERS = ("1e400", "-1e400", "NaN", "Infinity", "1" * 400, "-0", "0x10", "1_000", "9223372036854775808")


def hostile(example: dict[str, Any], seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, body) for a body that would be right."""
    right = json.dumps(example).encode()
    chance = random.Random(seed)
    yield "nothing", b""
    yield "deep lists", b"[" * 20_000
    yield "deep objects", b'{"a":' * 20_000
    yield "deep and closed", b"[" * 5_000 + b"]" * 5_000
    yield "deep member", json.dumps({**example, "attributes": None}).encode()[:-1] + b',"x":' + b"[" * 300
    yield "huge", b'{"a":"' + b"x" * 300_000 + b'"}'
    yield "zeros", b"\x00" * 100
    yield "UTF-16", json.dumps(example).encode("utf-16")
    yield "Latin-1", '{"name": "é"}'.encode("latin-1")
    yield "byte order mark", b"\xef\xbb\xbf" + right
    yield "overlong UTF-8", b'{"name": "\xc0\x80"}'
    yield "one byte", bytes([chance.randrange(256)])
    yield "noise", chance.randbytes(1_000)
    for other in (b"null", b"true", b"1", b'"text"', b"[]", b"[[]]", b"{}"):
        yield f"another shape: {other.decode()}", other
    for at in sorted({1, len(right) // 2, len(right) - 1}):
        yield f"cut after {at}", right[:at]
    flipped = bytearray(right)
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    yield "one bit", bytes(flipped)
    for name, value in example.items():
        member = json.dumps(name).encode()
        yield f"{name} twice", right[:-1] + b"," + member + b":" + json.dumps(value).encode() + b"}"
        for text in ODD_TEXTS:
            yield f"{name}: {text[:8]!r}", json.dumps({**example, name: text}).encode()
        for number in ODD_NUMBERS:
            body = right[:-1] + b"," + member + b":" + number.encode() + b"}"
            yield f"{name}: {number[:12]}", body
        for shape in ([], {}, None, True, [[1]], {"\x00": 1}):
            yield f"{name}: {shape!r}", json.dumps({**example, name: shape}).encode()
