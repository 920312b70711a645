"""The vectorised evaluator and the scalar oracle tell the same story, however readings are cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.rules.oracle import Oracle, Previous, Spec
from tests.unit.rules.readings import Evaluator, Reading, rule

RULES = (
    rule(
        """
levels: {warning: fill_pct >= 85, critical: fill_pct >= 95}
clear: fill_pct < 70
for: 2 readings
keep_firing: 10m
""",
        "overflow",
    )
    + rule(
        """
levels: {minor: tilt_deg > 30, major: temperature_c > 50}
for: 12m
keep_firing: 2 readings
max_gap: 30m
""",
        "mixed",
    )
    + rule(
        """
levels:
  critical: temperature_c > 70 or (rate(temperature_c, "1m") > 2 and delta(temperature_c) > 10)
for: 0
late: raise
use_suspect: true
""",
        "fire",
    )
    + rule("levels: {warning: delta(fill_pct) > 10, major: fill_pct > 90 and tilt_deg > 30}", "jump")
)


def over(name: str, limit: float) -> Any:
    return lambda v, p: None if v.get(name) is None else v[name] > limit


def fire(v: Any, previous: Previous) -> bool | None:
    now, past = v.get("temperature_c"), previous("temperature_c")
    if now is None:
        return None
    if now > 70:
        return True
    if past is None:
        return None
    step = now - past[0]
    return bool(step / past[1] > 2 and step > 10)


def jumped(v: Any, previous: Previous) -> bool | None:
    past = previous("fill_pct")
    return None if v.get("fill_pct") is None or past is None else v["fill_pct"] - past[0] > 10


def full_and_tilted(v: Any, previous: Previous) -> bool | None:
    parts = [over("fill_pct", 90)(v, previous), over("tilt_deg", 30)(v, previous)]
    return False if False in parts else None if None in parts else True


def clear(v: Any, previous: Previous) -> bool | None:
    return None if v.get("fill_pct") is None else v["fill_pct"] < 70


SPECS = [
    Spec(
        name="overflow",
        levels=[("warning", over("fill_pct", 84.9)), ("critical", over("fill_pct", 94.9))],
        clear=clear,
        hold=(2, 0),
        keep=(1, 10),
    ),
    Spec(
        name="mixed",
        levels=[("minor", over("tilt_deg", 30)), ("major", over("temperature_c", 50))],
        hold=(1, 12),
        keep=(2, 0),
        max_gap=30,
    ),
    Spec(name="fire", levels=[("critical", fire)], late_raises=True, use_suspect=True),
    Spec(name="jump", levels=[("warning", jumped), ("major", full_and_tilted)]),
]

names = ("fill_pct", "temperature_c", "tilt_deg")
readings = st.builds(
    lambda device, gap, fill, temperature, tilt, marked: (device, gap, (fill, temperature, tilt), marked),
    st.sampled_from([1, 1, 1, 1, 2, 3]),
    st.sampled_from([10, 12, 1, 5, 10, 10, 10, 10, 24, 25, 26, 40, 0, -10, -25]),
    st.sampled_from([50.0, None, 69.0, 75.0, 86.0, 86.0, 91.0, 97.0, 97.0]),
    st.sampled_from([20.0, 33.0, 45.0, 60.0, 80.0, None]),
    st.sampled_from([2.0, 40.0, 2.0, 40.0, None]),
    st.sampled_from([(), (), (), ("fill_pct",), ("temperature_c",)]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(readings, min_size=1, max_size=60),
    st.sets(st.integers(1, 59)),
)
def test_evaluator_agrees_with_the_oracle_however_a_history_is_cut(
    drawn: list[tuple[int, float, tuple[float | None, ...], tuple[str, ...]]], cuts: set[int]
) -> None:
    clock = dict.fromkeys((1, 2, 3), 0.0)
    history: list[Reading] = []
    for device, gap, values, marked in drawn:
        clock[device] += gap
        named = dict(zip(names, values, strict=True))
        history.append(Reading(minute=clock[device], device=device, values=named, marked=marked))
    oracle, evaluator = Oracle(SPECS), Evaluator(RULES)

    expected = [told for reading in history for told in oracle.feed(reading)]
    found = evaluator.feed_cut(history, [c for c in cuts if c < len(history)])

    assert [
        (t.rule, t.device_id, str(t.from_state), str(t.to_state), str(t.severity), t.observed_at)
        for t in found
    ] == expected
