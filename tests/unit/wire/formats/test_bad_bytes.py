"""Whatever bytes come, a format reads them or says why not; nothing else is ever raised."""

from __future__ import annotations

import json
import time

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.wire.adapters.formats import FORMATS, Heard
from devices.wire.adapters.formats.bounded import MAX_MESSAGE, MAX_UPLINKS
from devices.wire.adapters.uplink import Unreadable
from tests.unit.wire.formats.test_vectors import DIRECTORY, RECEIVED_AT, message

VECTORS = {
    name: json.loads((DIRECTORY / f"{name}.json").read_text("utf-8")) for name in FORMATS
}  # read once: hypothesis draws from them hundreds of times
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def read(name: str, topic: str, payload: bytes) -> str:
    """Return why bytes cannot be read, empty where they can."""
    reader = FORMATS[name]()
    try:
        heard = reader.read(topic, payload, RECEIVED_AT)
    except Unreadable as error:
        return str(error) or pytest.fail("no reason is given")
    assert isinstance(heard, Heard)
    heard.add(reader.overdue(RECEIVED_AT + 3_600_000_000))
    for uplink in heard.uplinks:
        assert uplink.device
        assert uplink.at is None or 0 <= uplink.at < 10**17
    return ""


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_bytes_are_read_or_refused_with_a_reason(name: str, data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(VECTORS[name]))
    read(name, vector["topic"], data.draw(st.binary(max_size=200)))


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_message_with_broken_bytes_is_read_or_refused(name: str, data: st.DataObject) -> None:
    vector = data.draw(st.sampled_from(VECTORS[name]))
    payload = bytearray(message(vector))
    for _ in range(data.draw(st.integers(1, 3))):
        if payload:
            payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    read(name, vector["topic"], bytes(payload[: data.draw(st.integers(0, len(payload)))]))


@pytest.mark.parametrize("name", [name for name in FORMATS if "cbor" not in name])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_document_with_another_member_is_read_or_refused(name: str, data: st.DataObject) -> None:
    vectors = [vector for vector in VECTORS[name] if "json" in vector]
    document = data.draw(st.sampled_from(vectors))["json"] if vectors else {}
    one = document[0] if isinstance(document, list) and document else document
    if isinstance(one, dict) and one:
        one = {**one, data.draw(st.sampled_from(sorted(one))): data.draw(JSON)}
    payload = json.dumps([one] if isinstance(document, list) else one).encode()
    read(name, data.draw(st.sampled_from(VECTORS[name]))["topic"], payload)


@settings(max_examples=50, deadline=None)
@given(said=st.lists(st.dictionaries(st.integers(-7, 9) | st.text(max_size=3), JSON, max_size=4), max_size=3))
def test_a_pack_of_anything_in_cbor_is_read_or_refused(said: list[object]) -> None:
    read("senml_cbor", "x/bin-1", cbor2.dumps(said))


@pytest.mark.parametrize("name", FORMATS)
def test_a_message_larger_than_any_broker_takes_is_refused(name: str) -> None:
    vector = next(v for v in VECTORS[name] if v.get("heard"))

    assert (
        read(name, vector["topic"], b"[" + b" " * MAX_MESSAGE + b"]")
        == f"{MAX_MESSAGE + 2} bytes, the limit is {MAX_MESSAGE}"
    )


@pytest.mark.parametrize("name", ["chirpstack", "things_stack", "senml_json", "ngsi"])
@pytest.mark.parametrize("deep", [b"[" * 100_000, b'{"a":' * 20_000])
def test_nesting_without_end_is_refused(name: str, deep: bytes) -> None:
    reason = read(name, VECTORS[name][0]["topic"], deep)

    # ChirpStack's may be Protocol Buffers: what begins with no brace is none of its JSON.
    assert reason == "nested deeper than 32 levels" or reason.startswith("not a Protocol Buffers message")


@pytest.mark.parametrize(
    ("name", "topic", "payload"),
    [
        ("senml_json", "x/y", json.dumps([{"n": "a", "v": 1, "t": -at} for at in range(MAX_UPLINKS + 1)])),
        ("ngsi", "", json.dumps([{"id": "a"}] * (MAX_UPLINKS + 1))),
        ("ultralight", "/k/d/attrs", "#".join(["a|1"] * (MAX_UPLINKS + 1))),
    ],
)
def test_a_message_of_too_many_readings_is_refused(name: str, topic: str, payload: str) -> None:
    assert str(MAX_UPLINKS) in read(name, topic, payload.encode())


def test_digits_without_end_take_no_time() -> None:
    begun = time.thread_time()

    read("ultralight", "/key/bin-7/attrs/fill", b"1" * (MAX_MESSAGE - 1) + b"x")

    assert time.thread_time() - begun < 1
