"""Canonical JSON is the same text for the same value, as RFC 8785 has it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.canonical_json import canonical

NUMBERS = [
    (0.0, "0"),
    (-0.0, "0"),
    (1.0, "1"),
    (-1.5, "-1.5"),
    (0.1, "0.1"),
    (0.000001, "0.000001"),
    (0.00000123, "0.00000123"),
    (1e-7, "1e-7"),
    (1.5e-9, "1.5e-9"),
    (1e16, "10000000000000000"),
    (12345678901234567890.0, "12345678901234567000"),
    (1e21, "1e+21"),
    (1.25e300, "1.25e+300"),
    (5e-324, "5e-324"),
    (2**64, "18446744073709551616"),
    (True, "true"),
]
"""The floats as JavaScript's JSON.stringify writes them."""


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_numbers_are_written_as_javascript_writes_them(value: float, text: str) -> None:
    assert canonical(value) == text


def test_keys_are_sorted_by_utf16_and_nothing_stands_between_tokens() -> None:
    # The emoji's first UTF-16 unit is below U+FB33, though its code point is above.
    value = {"\ufb33": 1, "\U0001f600": [None, False], "b": {"z": "é\n\u0001", "a": {}}, "€": ""}

    assert canonical(value) == (
        '{"b":{"a":{},"z":"é\\n\\u0001"},"€":"","\U0001f600":[null,false],"\ufb33":1}'
    )


def test_an_instant_is_the_same_text_in_every_zone() -> None:
    here = datetime(2026, 11, 29, 19, 30, 0, 5, tzinfo=timezone(timedelta(hours=2)))

    assert canonical([here, here.astimezone(UTC)]) == str(["2026-11-29T17:30:00.000005Z"] * 2).replace(
        "'", '"'
    ).replace(" ", "")
    assert canonical([UUID(int=1), b"\xff"]) == '["00000000-0000-0000-0000-000000000001","ff"]'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_number_that_json_does_not_have_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no number"):
        canonical(value)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(VALUES)
def test_text_that_is_read_back_is_its_own_canonical_form(value: object) -> None:
    text = canonical(value)

    assert canonical(json.loads(text)) == text
