"""Transitions as episodes: counted, compared, told apart from flapping."""

from __future__ import annotations

from datetime import date

from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime
from rules.trial.episodes import Episode, Episodes, compare, flaps, per_day
from tests.unit.rules.readings import MINUTE, NOON


def changed(
    minute: int, to: ConditionState, severity: Severity = Severity.WARNING, device: int = 1
) -> Transition:
    return Transition(
        rule="r",
        version=1,
        device_id=device,
        from_state=ConditionState.PENDING,
        to_state=to,
        severity=severity,
        observed_at=NOON + minute * MINUTE,
        received_at=NOON + minute * MINUTE,
    )


def episode(opened: int, ended: int | None = None, device: int = 1) -> Episode:
    return Episode(
        device_id=device,
        opened_at=NOON + opened * MINUTE,
        severity=Severity.WARNING,
        ended_at=None if ended is None else NOON + ended * MINUTE,
    )


def test_episode_keeps_the_worst_severity_it_reached() -> None:
    episodes = Episodes()
    for transition in (
        changed(0, ConditionState.FIRING),
        changed(10, ConditionState.FIRING, Severity.CRITICAL),
        changed(20, ConditionState.FIRING, Severity.WARNING),
        changed(30, ConditionState.RESOLVED),
    ):
        episodes.add(transition)

    (found,) = episodes.all()

    assert found.severity is Severity.CRITICAL
    assert (found.opened_at, found.ended_at) == (NOON, NOON + 30 * MINUTE)


def test_episode_has_no_end_while_it_fires() -> None:
    episodes = Episodes()
    episodes.add(changed(0, ConditionState.FIRING))

    assert episodes.all()[0].ended_at is None


def test_end_without_a_beginning_is_no_episode() -> None:
    episodes = Episodes()
    episodes.add(changed(0, ConditionState.RESOLVED))

    assert episodes.all() == ()


def test_flap_is_an_alert_that_comes_back_within_the_hour() -> None:
    assert flaps([episode(0, 10), episode(40, 50), episode(200, 210)]) == 1
    assert flaps([episode(0, 10), episode(40, 50, device=2)]) == 0


def test_days_without_alerts_are_counted_as_none() -> None:
    day = to_datetime(NOON).date()

    counts = per_day([episode(0), episode(5)], day, date.fromordinal(day.toordinal() + 1))

    assert list(counts.values()) == [2, 0]


def test_episodes_tell_of_the_same_when_they_overlap_on_one_device() -> None:
    tried = [episode(0, 10), episode(100, 110), episode(0, 10, device=2)]
    live = [episode(5, 20), episode(300, None)]

    compared = compare(tried, live)

    assert compared.both == 1
    assert compared.only_first == (tried[1], tried[2])
    assert compared.only_second == (live[1],)
