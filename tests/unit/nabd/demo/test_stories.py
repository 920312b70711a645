"""What became of alerts of the past: one thing at a time, and nothing is told before it is over."""

from __future__ import annotations

from itertools import pairwise

from alerts.transition import ConditionState, Severity, Transition
from nabd.demo.past.stories import PastWork

NOON = 1_780_315_200_000_000
HOUR = 3_600_000_000


def transition(device: int, to: ConditionState, at: int) -> Transition:
    """Return the beginning or the end of an alert."""
    before = ConditionState.INACTIVE if to is ConditionState.FIRING else ConditionState.FIRING
    return Transition(
        rule="bin-fire",
        version=1,
        device_id=device,
        from_state=before,
        to_state=to,
        severity=Severity.CRITICAL,
        observed_at=at,
        received_at=at,
    )


def stories(*names: str) -> PastWork:
    """Return the stories of a town with these technicians."""
    return PastWork(seed=3, technicians=dict.fromkeys(names, NOON))


def test_technician_does_one_thing_after_the_other() -> None:
    found = stories("omar")
    found.follow([transition(n, ConditionState.FIRING, NOON) for n in (1, 2, 3)])

    found.send(NOON + HOUR)
    mended = found.mended(NOON + 24 * HOUR)
    found.follow([transition(n, ConditionState.RESOLVED, NOON + 24 * HOUR) for n in (1, 2, 3)])
    over = [visit for story in found.over(NOON + 48 * HOUR) for visit in story.visits]

    assert mended
    assert found.mended(NOON + 25 * HOUR) == {}
    assert len(over) == 3
    for before, after in pairwise(over):
        assert before.done_at <= after.accepted_at
    assert all(v.ordered_at <= v.accepted_at < v.left_at < v.arrived_at < v.done_at for v in over)


def test_what_ends_before_anybody_is_sent_has_no_visit() -> None:
    found = stories("omar")
    found.follow(
        [transition(1, ConditionState.FIRING, NOON), transition(1, ConditionState.RESOLVED, NOON + 1)]
    )
    found.send(NOON + HOUR)

    [story] = found.over(NOON + HOUR)

    assert story.visits == []
    assert found.over(NOON + HOUR) == []


def test_what_still_burns_or_is_being_worked_on_is_not_over() -> None:
    found = stories("omar")
    found.follow([transition(1, ConditionState.FIRING, NOON)])
    found.send(NOON + HOUR)
    assert found.over(NOON + 24 * HOUR) == []

    found.follow([transition(1, ConditionState.RESOLVED, NOON + HOUR)])

    assert found.over(NOON) == []
    assert len(found.over(NOON + 24 * HOUR)) == 1


def test_visit_that_does_not_help_is_followed_by_another_once_readings_have_shown_it() -> None:
    found = stories("omar")
    for number in range(60):
        found.follow([transition(number, ConditionState.FIRING, NOON)])
    found.send(NOON + HOUR)
    mended = found.mended(NOON + 900 * HOUR)
    left = set(range(60)) - set(mended)

    found.send(NOON + 900 * HOUR)
    again = found.mended(NOON + 9_000 * HOUR)
    found.follow([transition(n, ConditionState.RESOLVED, NOON + 9_000 * HOUR) for n in left])

    assert 0 < len(left) < 15
    assert set(again) == left
    for story in found.over(NOON + 9_002 * HOUR):
        first, second = story.visits
        assert (first.mends, second.mends) == (False, True)
        assert second.ordered_at == first.done_at + HOUR
