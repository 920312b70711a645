"""Who is far from its neighbours, without a database: the decision that service and benchmark share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from alerts.transition import Severity
from devices.kinds import load
from devices.kinds.kind import Measurement
from rules.definition.families import Neighbours
from rules.sweeps.core import neighbours
from rules.sweeps.core.instants import NEVER
from rules.sweeps.core.neighbours import NeighbourValues, NeighbourVerdict

MINUTE = 60_000_000
VOLTAGE = load()["light"].measurement("voltage_v")
HEADING = load()["drone"].measurement("heading_deg")
FAMILY = Neighbours(
    measurement="voltage_v",
    within_m=None,
    at_least=3,
    off_by=6.0,
    minimum=10.0,
    lasting_us=30 * MINUTE,
    severity=Severity.WARNING,
)


def judge(values: NeighbourValues, measurement: Measurement = VOLTAGE) -> NeighbourVerdict:
    """Compare devices of one parent."""
    n = len(values.value)
    near = neighbours.neighbours_of(
        FAMILY, np.ones(n, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan)
    )
    return neighbours.judge(FAMILY, measurement, values, near)


def newest(
    first: float, minute: float, *, since: float | None = None, is_open: bool = False
) -> NeighbourValues:
    """Return five devices of one parent, four of them at 230."""
    n = 5
    off_since = NEVER if since is None else round(since * MINUTE)
    return NeighbourValues(
        value=np.array([first, 230.0, 230.5, 229.5, 230.2]),
        observed_at=np.full(n, round(minute * MINUTE), dtype=np.int64),
        since=np.array([off_since, *[NEVER] * 4], dtype=np.int64),
        is_open=np.array([is_open, *[False] * 4]),
    )


def test_far_value_is_remembered_at_once_and_told_when_it_lasted() -> None:
    verdict = judge(newest(245, 0))
    assert verdict.since.tolist() == [0, *[NEVER] * 4]
    assert not verdict.begins.any()

    assert not judge(newest(245, 29, since=0)).begins.any()
    assert judge(newest(245, 30, since=0)).begins.tolist() == [True, *[False] * 4]


def test_value_that_wavers_is_still_suspect_and_one_that_is_back_is_not() -> None:
    assert judge(newest(237, 10, since=0)).since[0] == 0
    assert judge(newest(232, 10, since=0)).since[0] == NEVER


def test_alert_opens_once_and_ends_when_the_value_is_back() -> None:
    assert not judge(newest(245, 60, since=0, is_open=True)).begins.any()
    assert not judge(newest(237, 60, since=0, is_open=True)).ends.any()
    assert judge(newest(231, 60, since=0, is_open=True)).ends[0]


def test_alert_does_not_end_where_too_few_neighbours_are_left_to_compare_with() -> None:
    now = newest(245, 60, since=0, is_open=True)
    few = NeighbourValues(**{name: getattr(now, name)[:3] for name in NeighbourValues.__slots__})

    verdict = judge(few)

    assert not verdict.ends.any()
    assert verdict.since[0] == 0


def test_value_that_is_old_beside_its_neighbours_is_not_compared() -> None:
    now = newest(245, 60)
    now.observed_at[0] = 29 * MINUTE
    assert (judge(now).since == NEVER).all()

    suspect = newest(231, 60, since=0, is_open=True)
    suspect.observed_at[0] = 29 * MINUTE
    verdict = judge(suspect)
    assert verdict.since[0] == 0
    assert not verdict.ends.any()


def test_neighbours_on_a_circle_are_compared_the_shorter_way() -> None:
    close = replace(newest(5, 0), value=np.array([5.0, 359.0, 1.0, 358.0, 2.0]))
    far = replace(close, value=np.array([180.0, 359.0, 1.0, 358.0, 2.0]))

    near, apart = judge(close, HEADING), judge(far, HEADING)

    assert np.abs(near.around.median - [1.0] * 5).max() < 1e-9
    assert near.since.tolist() == [NEVER] * 5
    assert apart.since.tolist() == [0, *[NEVER] * 4]
