"""The examples in tests/golden/formats: what each message of a source says, and why one says nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devices.wire.adapters.formats import FORMATS, FormatReader, Heard
from devices.wire.adapters.uplink import Unreadable

DIRECTORY = Path(__file__).parents[3] / "golden/formats"
RECEIVED_AT = 1_772_353_900_000_000


def message(vector: dict[str, Any]) -> bytes:
    if "hex" in vector:
        return bytes.fromhex(vector["hex"])
    return (vector["text"] if "text" in vector else json.dumps(vector["json"])).encode()


def said(reader: FormatReader, vector: dict[str, Any]) -> Heard | str:
    try:
        return reader.read(vector["topic"], message(vector), RECEIVED_AT)
    except Unreadable as error:
        return str(error)


def members(found: Any, expected: dict[str, Any]) -> dict[str, Any]:
    """Return those members that an example names, as it writes them."""
    got = {name: getattr(found, name) for name in expected}
    return {
        name: value.hex() if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
        for name, value in got.items()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_a_message_says_what_its_example_tells(name: str) -> None:
    reader = FORMATS[name]()
    for vector in json.loads((DIRECTORY / f"{name}.json").read_text("utf-8")):
        found = said(reader, vector)
        if "unreadable" in vector:
            assert isinstance(found, str), vector["says"]
            assert vector["unreadable"] in found, vector["says"]
            continue
        assert isinstance(found, Heard), (vector["says"], found)
        heard = vector["heard"]
        for part in ("uplinks", "events"):
            expected = heard.get(part, [])
            assert len(getattr(found, part)) == len(expected), (vector["says"], found)
            got = [members(*pair) for pair in zip(getattr(found, part), expected, strict=True)]
            assert got == expected, vector["says"]
        reasons = heard.get("refused", [])
        assert len(found.refused) == len(reasons), vector["says"]
        for refused, reason in zip(found.refused, reasons, strict=True):
            assert refused.why.startswith(reason), vector["says"]


@pytest.mark.parametrize("name", FORMATS)
def test_an_uplink_keeps_the_bytes_that_it_came_with(name: str) -> None:
    reader = FORMATS[name]()
    raws = 0
    before = b""
    for vector in json.loads((DIRECTORY / f"{name}.json").read_text("utf-8")):
        found = said(reader, vector)
        for uplink in [] if isinstance(found, str) else found.uplinks:
            assert uplink.raw
            assert uplink.raw in message(vector) or uplink.raw in before
            raws += 1
        before = message(vector)
    assert raws > 1
