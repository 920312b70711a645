"""The vectorised evaluator and the scalar oracle tell the same story, however readings are cut."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.kinds.kind import INTERVAL
from rules.context.attributes import Facts
from tests.unit.rules.histories import LONG
from tests.unit.rules.oracle import Oracle, Spec
from tests.unit.rules.past import Past
from tests.unit.rules.readings import MINUTE, Evaluator, Reading, rule

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
    + rule(
        """
levels:
  warning: n_of(fill_pct > 80, 2, 3)
  major: n_of(fill_pct > 80 and tilt_deg > 30, 3, "45m") or count(tilt_deg > 30, "4 readings") >= 4
clear: count(fill_pct > 80, "30m") < 1
""",
        "often",
    )
    + rule(
        """
levels: {warning: "flat(fill_pct, \\"30m\\", 6)", major: "flat(temperature_c, \\"20m\\", 0)"}
max_gap: 40m
""",
        "stuck",
    )
    + rule(
        """
levels:
  warning: fill_pct > baseline(fill_pct, "80m") + 3
  major: abs(temperature_c - baseline(temperature_c, "2h", fill_pct)) > 12
for: 2 readings
""",
        "unusual",
    )
    + rule('levels: {warning: "fill_pct > last(fill_pct, tilt_deg > 30) + 10"}', "grown")
    + rule('levels: {warning: "trend(fill_pct, \\"80m\\") > 900"}', "rising")
)


def over(name: str, limit: float) -> Any:
    return lambda v, p: None if v.get(name) is None else v[name] > limit


def fire(v: Any, past: Past) -> bool | None:
    now, before = v.get("temperature_c"), past("temperature_c")
    if now is None:
        return None
    if now > 70:
        return True
    if before is None:
        return None
    step = now - before[0]
    return bool(step / before[1] > 2 and step > 10)


def jumped(v: Any, past: Past) -> bool | None:
    before = past("fill_pct")
    return None if v.get("fill_pct") is None or before is None else v["fill_pct"] - before[0] > 10


def full_and_tilted(v: Any, past: Past) -> bool | None:
    parts = [over("fill_pct", 90)(v, past), over("tilt_deg", 30)(v, past)]
    return False if False in parts else None if None in parts else True


def both(*truths: bool | None) -> bool | None:
    return False if False in truths else None if None in truths else True


def one(*truths: bool | None) -> bool | None:
    return True if True in truths else None if None in truths else False


def often_major(v: Any, past: Past) -> bool | None:
    tilted = over("tilt_deg", 30)(v, past)
    full_too = both(over("fill_pct", 80)(v, past), tilted)
    # count() of readings is undecided until as many were seen.
    counted = past.n_of("tilt", tilted, 4, 4)
    history = past._kept.get("tilt", [])
    known = counted is not None and len(past._run(history)) >= 4
    return one(past.n_within("both", full_too, 3, 45), counted if known else None)


def often_clear(v: Any, past: Past) -> bool | None:
    counted = past.count("high", over("fill_pct", 80)(v, past), 30)
    return counted[0] < 1 if counted and counted[1] else None


def unusual(name: str, key: str, slot: int, off: float, absolute: bool) -> Any:
    def condition(v: Any, past: Past) -> bool | None:
        value, level = v.get(name), v.get("fill_pct")
        if absolute:
            key_here = f"{key}{round(level / 20)}" if level is not None else ""
            normal = past.baseline(key_here, value if level is not None else None, slot)
        else:
            normal = past.baseline(key, value, slot)
        if value is None or normal is None:
            return None
        return bool(abs(value - normal) > off if absolute else value > normal + off)

    return condition


def grown(v: Any, past: Past) -> bool | None:
    fill = v.get("fill_pct")
    tilted = past.last("tilted", fill if over("tilt_deg", 30)(v, past) else None)
    return None if fill is None or tilted is None else fill > tilted + 10


def rising(v: Any, past: Past) -> bool | None:
    slope = past.trend("slope", v.get("fill_pct"), 10 * MINUTE)
    return None if slope is None else slope > 900


def clear(v: Any, past: Past) -> bool | None:
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
    Spec(
        name="often",
        levels=[
            ("warning", lambda v, p: p.n_of("full", over("fill_pct", 80)(v, p), 2, 3)),
            ("major", often_major),
        ],
        clear=often_clear,
    ),
    Spec(
        name="stuck",
        levels=[
            ("warning", lambda v, p: p.flat("fill", v.get("fill_pct"), 30, 6)),
            ("major", lambda v, p: p.flat("heat", v.get("temperature_c"), 20, 0)),
        ],
        max_gap=40,
    ),
    Spec(
        name="unusual",
        levels=[
            ("warning", unusual("fill_pct", "fill", 10 * MINUTE, 3, False)),
            ("major", unusual("temperature_c", "heat", 15 * MINUTE, 12, True)),
        ],
        hold=(2, 0),
        keep=(2, 0),
    ),
    Spec(name="grown", levels=[("warning", grown)]),
    Spec(name="rising", levels=[("warning", rising)]),
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


@settings(max_examples=2000 if LONG else 150, deadline=None)
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
    # Their own interval is known: what is learned of the others has tests of its own.
    facts = {device: Facts(attributes={INTERVAL: 600}) for device in clock}
    oracle, evaluator = Oracle(SPECS), Evaluator(RULES, facts=facts)

    expected = [told for reading in history for told in oracle.feed(reading)]
    found = evaluator.feed_cut(history, [c for c in cuts if c < len(history)])

    assert [
        (t.rule, t.device_id, str(t.from_state), str(t.to_state), str(t.severity), t.observed_at)
        for t in found
    ] == expected
