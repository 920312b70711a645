"""Payloads to columns: what is kept, what is refused, and that neighbours never notice."""

from __future__ import annotations

import numpy as np
import pytest

from devices import kinds, nesting
from devices.columns import MISSING
from devices.wire import MAX_ELEMENTS, MAX_PAYLOAD, Decoder, Reason
from devices.wire.exact import PART
from devices.wire.instants import ABSENT

BIN = Decoder(kinds.load()["bin"])
DRONE = Decoder(kinds.load()["drone"])
GOOD = b'{"ts":1790000000000,"fill_pct":40.5}'


def refused(payload: bytes) -> tuple[Reason, str]:
    """Decode a payload between two good ones, which must not notice; return why it was refused."""
    decoded, rejected = BIN.decode([GOOD, payload, GOOD])
    assert decoded.message.tolist() == [0, 2]
    assert decoded.values["fill_pct"].tolist() == [40.5, 40.5]
    (one,) = rejected
    assert one.message == 1
    return one.reason, one.pointer


def test_an_object_becomes_a_row_with_nothing_made_up() -> None:
    decoded, rejected = BIN.decode([b'{"ts":1790000000000,"seq":4,"lid_open":true,"distance_mm":null}'])

    assert rejected == []
    assert decoded.instant.tolist() == [1_790_000_000_000_000]
    assert (decoded.boot[0], decoded.seq[0]) == (MISSING, 4)
    assert decoded.values["lid_open"][0] == 1.0
    assert np.isnan(decoded.values["distance_mm"][0])
    assert decoded.extra[0] is None


def test_an_array_becomes_rows_that_know_their_place() -> None:
    decoded, _ = BIN.decode([GOOD, b'[{"fill_pct":1},{"fill_pct":2}]'])

    assert decoded.message.tolist() == [0, 1, 1]
    assert decoded.element.tolist() == [-1, 0, 1]


def test_unknown_keys_are_kept_as_they_are() -> None:
    decoded, rejected = BIN.decode([b'{"fill_pct":1,"door":{"open":[1.50]},"kind":"x"}', GOOD])

    assert rejected == []
    assert decoded.extra.tolist() == [b'{"door":{"open":[1.50]},"kind":"x"}', None]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b" ",
        b"null",
        b"7",
        b'"x"',
        b"[]",
        b"{",
        b"{}{}",
        b"{},{}",
        b"[[]]",
        b"[1]",
        b"\xff",
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_reading_is_malformed(payload: bytes) -> None:
    assert refused(payload)[0] is Reason.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [b"[" * 5000, b'{"x":' * 5000, b'{"x":"' + b"y" * MAX_PAYLOAD + b'"}'],
)
def test_what_is_too_deep_or_too_large_is_malformed(payload: bytes) -> None:
    assert refused(payload) == (Reason.MALFORMED, "")


def test_what_is_too_deep_in_an_array_is_malformed_alone() -> None:
    assert refused(b"[" * 40 + b"]" * 40) == (Reason.MALFORMED, "/0")


@pytest.mark.parametrize(
    ("unknown", "kept"),
    [
        (b'"x":1e400', b'{"x": "1e400"}'),
        (b'"x":NaN', b'{"x": "NaN"}'),
        (b'"x":[1.5,-Infinity]', b'{"x": [1.5, "-Infinity"]}'),
        (b'"x":{"a\\u0000":"\\u0000"}', '{"x": {"a\ufffd": "\ufffd"}}'.encode()),
        (b'"\\ud800":"\\udc00"', b'{"?": "?"}'),
        (b'"x":%s' % (b"7" * 5000), b'{"x": "%s"}' % (b"7" * 5000)),
    ],
)
def test_an_unknown_key_is_never_an_error_whatever_it_holds(unknown: bytes, kept: bytes) -> None:
    decoded, rejected = BIN.decode([b'{"fill_pct":1,%s}' % unknown, b'[{"fill_pct":2},{%s}]' % unknown])

    assert rejected == []
    assert decoded.extra.tolist() == [kept, None, kept]
    assert decoded.values["fill_pct"].tolist()[:2] == [1.0, 2.0]


@pytest.mark.parametrize("token", [b"NaN", b"-Infinity", b'"\\ud800"', b"1e400"])
def test_one_bad_token_in_an_array_harms_its_element_alone(token: bytes) -> None:
    sent = b'[{"seq":1,"fill_pct":1},{"boot":7,"seq":2,"fill_pct":%s},{"seq":3,"fill_pct":3}]' % token

    decoded, rejected = BIN.decode([GOOD, sent])

    assert decoded.seq.tolist() == [MISSING, 1, 3]
    assert [(r.reason, r.pointer, r.number) for r in rejected] == [(Reason.BAD_VALUE, "/1/fill_pct", (7, 2))]


def test_a_payload_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    frame = b'{"x":"%s"}'
    fits = frame % (b"y" * (MAX_PAYLOAD - len(frame) + 2))

    assert len(fits) == MAX_PAYLOAD
    assert len(BIN.decode([fits])[0]) == 1
    assert refused(frame % (b"y" * (MAX_PAYLOAD - len(frame) + 3))) == (Reason.MALFORMED, "")


def test_an_array_of_too_many_elements_is_malformed_as_a_whole() -> None:
    assert len(BIN.decode([b"[" + b",".join([b"{}"] * MAX_ELEMENTS) + b"]"])[0]) == MAX_ELEMENTS
    assert refused(b"[" + b",".join([b"{}"] * (MAX_ELEMENTS + 1)) + b"]") == (Reason.MALFORMED, "")


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        (b'{"fill_pct":"7"}', "/fill_pct"),
        (b'{"fill_pct":true}', "/fill_pct"),
        (b'{"lid_open":1}', "/lid_open"),
        (b'{"fill_pct":1e400}', "/fill_pct"),
        (b'{"seq":1.5}', "/seq"),
        (b'{"seq":-1}', "/seq"),
        (b'{"boot":9223372036854775808}', "/boot"),
        (b'[{"fill_pct":"x"}]', "/0/fill_pct"),
        (b'{"fill_pct":NaN}', "/fill_pct"),
        (b'{"x":NaN,"fill_pct":-Infinity}', "/fill_pct"),
        (b'[{"fill_pct":"\\ud800"}]', "/0/fill_pct"),
    ],
)
def test_a_value_that_is_none_is_refused_where_it_stands(payload: bytes, pointer: str) -> None:
    assert refused(payload) == (Reason.BAD_VALUE, pointer)


@pytest.mark.parametrize(
    "ts",
    [
        b'"2026-03-01T07:30:00"',
        b'"2026-03-01"',
        b'"2026-03-01T24:00:00Z"',
        b'"2026-03-01T07:30:60Z"',
        b'"2026-03-01T07:30:00+25:00"',
        b'"1790000000"',
        b"-1",
        b"1e17",
        b"true",
        b"{}",
    ],
)
def test_a_time_that_names_no_instant_is_refused(ts: bytes) -> None:
    assert refused(b'{"ts":%s}' % ts) == (Reason.BAD_TIME, "/ts")


@pytest.mark.parametrize(
    "ts",
    [
        b"1790000000",
        b"1790000000.0",
        b"1790000000000",
        b"1790000000000000",
        b'"2026-09-21T14:13:20Z"',
        b'"2026-09-21t17:13:20.000+03:00"',
    ],
)
def test_a_time_tells_its_unit_by_its_size(ts: bytes) -> None:
    decoded, _ = BIN.decode([b'{"ts":%s}' % ts])

    assert decoded.instant.tolist() == [1_790_000_000_000_000]


def test_a_missing_time_is_left_to_be_resolved() -> None:
    assert BIN.decode([b"{}"])[0].instant.tolist() == [ABSENT]


def test_a_string_that_never_ends_is_not_read_again_from_each_of_its_bytes() -> None:
    assert refused(b"[{" * 17 + b'"' + b'\\"' * 32_000) == (Reason.MALFORMED, "")

    # Were it read again and again, this would not end today.
    assert nesting.depth(b"[{" * 17 + b'"' + b'\\"' * 2_000_000) == 34


def test_a_text_with_nul_is_refused_and_its_neighbour_kept() -> None:
    decoded, rejected = DRONE.decode([b'[{"zone":"a\\u0000"},{"zone":"b"}]'])

    assert decoded.values["zone"].tolist() == ["b"]
    assert [(r.reason, r.pointer) for r in rejected] == [(Reason.BAD_VALUE, "/0/zone")]


def test_no_payload_can_borrow_its_neighbours_brackets() -> None:
    crafted = [b"{},[{}", GOOD, b"{}],{}"]

    decoded, rejected = BIN.decode(crafted)

    assert decoded.message.tolist() == [1]
    assert [r.message for r in rejected] == [0, 2]


def test_payloads_of_many_parts_decode_as_each_alone() -> None:
    payloads = [
        b'{"ts":1750000000,"fill_pct":%d}' % (i % 100)
        if i % 7
        else (b'[{"ts":1750000000},{"ts":"never"},{"fill_pct":"x"}]', b"{", b'{"ts":-1}')[i // 7 % 3]
        for i in range(2 * PART + 40)
    ]

    decoded, rejected = BIN.decode(payloads)

    alone = [BIN.decode([payload]) for payload in payloads]
    assert decoded.message.tolist() == [i for i, (one, _) in enumerate(alone) for _ in range(len(one))]
    assert decoded.instant.tolist() == [t for one, _ in alone for t in one.instant.tolist()]
    assert decoded.element.tolist() == [e for one, _ in alone for e in one.element.tolist()]
    fill = [f for one, _ in alone for f in one.values["fill_pct"].tolist()]
    np.testing.assert_array_equal(decoded.values["fill_pct"], fill)
    found = {(r.message, r.reason, r.pointer, r.payload) for r in rejected}
    assert found == {(i, r.reason, r.pointer, r.payload) for i, (_, some) in enumerate(alone) for r in some}


def test_an_instant_is_the_same_whatever_it_comes_with() -> None:
    """Beyond 2**53 a time is a double: alone as among texts, which are read one by one."""
    far = b'{"ts":90071992547409931}'
    alone, _ = BIN.decode([far])
    among, _ = BIN.decode([far, b'{"ts":"2026-03-01T07:30:00Z"}'])

    assert alone.instant[0] == among.instant[0] == 90_071_992_547_409_936
