"""The form in which values are hashed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.physics.model import Value
from firmware_sim.publish_log import canonical, digest
from tests.unit.firmware_sim.build import KINDS

VALUES = st.dictionaries(
    st.sampled_from("abcdef"),
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.text("abé د", max_size=8),
        st.none(),
    ),
)


def test_canonical_form_is_compact_sorted_and_exact() -> None:
    values: dict[str, Value] = {"b": True, "a": 0.1, "d": None, "c": "بلدة"}

    assert canonical(values).decode() == '{"a":0.1,"b":true,"c":"بلدة"}'


@settings(deadline=None)
@given(VALUES)
def test_canonical_form_depends_on_neither_order_nor_absence(values: dict[str, Value]) -> None:
    present = {name: value for name, value in reversed(values.items()) if value is not None}

    assert canonical(values) == canonical(present)


def test_whole_numbers_hash_like_the_float_that_the_table_returns() -> None:
    assert canonical({"a": 3}) == canonical({"a": 3.0})


def test_digest_leaves_out_what_the_platform_derives() -> None:
    bin_ = KINDS["bin"]

    assert digest(bin_, {"distance_mm": 900.0}) == digest(bin_, {"distance_mm": 900.0, "fill_pct": 50.0})
    assert digest(bin_, {"distance_mm": 900.0}) != digest(bin_, {"distance_mm": 901.0})
