"""What is told at once, and what waits for a digest."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from uuid import UUID

from alerts.transition import Severity
from notify.facts import AlertFacts, Contact
from notify.message import Occasion
from notify.outbox.grouping import GroupWindow, NewMessages, Telling, place

NOW = 1_800_000_000_000_000
S = 1_000_000


def ids() -> Callable[[], UUID]:
    """Return a source of ids: 1, 2, 3, …"""
    numbers = count(1)
    return lambda: UUID(int=next(numbers))


def telling(
    alert: int,
    person: int = 1,
    *,
    rule: str = "circuit-down",
    group_for_s: float = 30.0,
    occasion: Occasion = Occasion.OPENED,
    sms_after_s: float | None = None,
    severity: Severity = Severity.MAJOR,
) -> Telling:
    """Return one alert that a person is told of by ntfy, and perhaps by SMS later."""
    facts = AlertFacts(
        municipality="tripoli", kind="circuit", severity=severity, rule=rule, device=f"c-{alert}"
    )
    contacts = [Contact(person_id=person, channel="ntfy", address=f"p{person}", after_s=0)]
    if sms_after_s is not None:
        contacts.append(Contact(person_id=person, channel="sms", address="+961", after_s=sms_after_s))
    return Telling(alert=alert, facts=facts, occasion=occasion, contacts=contacts, group_for_s=group_for_s)


def said(placed: NewMessages) -> list[tuple[list[int], str, float, bool]]:
    """Return each new message's alerts, channel, seconds until it is due, and whether it is a digest."""
    return [(d.alerts, d.contact.channel, (d.due_at - NOW) / S, d.digest) for d in placed.new]


def test_the_first_goes_at_once_and_what_follows_becomes_one_digest() -> None:
    placed = place([telling(n) for n in range(1, 41)], {}, NOW, ids())

    assert said(placed) == [([1], "ntfy", 0.0, False), (list(range(2, 41)), "ntfy", 30.0, True)]


def test_each_receiver_gets_the_first_at_once() -> None:
    placed = place([telling(1, 1), telling(1, 2), telling(2, 1), telling(2, 2)], {}, NOW, ids())

    assert [(d.contact.person_id, d.alerts, d.digest) for d in placed.new] == [
        (1, [1], False),
        (2, [1], False),
        (1, [2], True),
        (2, [2], True),
    ]


def test_an_alert_is_told_when_the_first_of_its_receivers_is() -> None:
    windows = {telling(1).group: GroupWindow(until=NOW + 12 * S)}

    assert place([telling(1), telling(1, 2)], windows, NOW, ids()).first_due == {1: NOW}


def test_without_grouping_each_goes_at_once() -> None:
    placed = place([telling(1, group_for_s=0), telling(2, group_for_s=0)], {}, NOW, ids())

    assert said(placed) == [([1], "ntfy", 0.0, False), ([2], "ntfy", 0.0, False)]
    assert [d.group for d in placed.new] == [None, None]


def test_other_rules_and_other_occasions_are_other_groups() -> None:
    tellings = [telling(1), telling(2, rule="cabinet-open"), telling(1, occasion=Occasion.RESOLVED)]

    assert [due for _, _, due, _ in said(place(tellings, {}, NOW, ids()))] == [0.0, 0.0, 0.0]


def test_what_is_more_severe_does_not_wait_in_a_milder_ones_digest() -> None:
    minor = telling(1, severity=Severity.MINOR, group_for_s=3600.0)
    critical = telling(2, severity=Severity.CRITICAL, group_for_s=30.0)

    assert said(place([minor, critical], {}, NOW, ids())) == [
        ([1], "ntfy", 0.0, False),
        ([2], "ntfy", 0.0, False),
    ]


def test_what_follows_joins_the_digest_that_is_there() -> None:
    key = telling(1).group
    digest = UUID(int=99)
    windows = {key: GroupWindow(until=NOW + 12 * S, call=UUID(int=98), digests={("ntfy", "p1"): digest})}

    placed = place([telling(3), telling(4)], windows, NOW, ids())

    assert (said(placed), placed.joined) == ([], [(digest, 3), (digest, 4)])


def test_a_digest_that_is_being_sent_is_followed_by_another_at_the_end_of_the_window() -> None:
    windows = {telling(1).group: GroupWindow(until=NOW + 12 * S, call=UUID(int=98))}

    assert said(place([telling(3), telling(4)], windows, NOW, ids())) == [([3, 4], "ntfy", 12.0, True)]


def test_after_the_window_the_next_goes_at_once_again() -> None:
    windows = {telling(1).group: GroupWindow(until=NOW)}

    assert said(place([telling(3)], windows, NOW, ids())) == [([3], "ntfy", 0.0, False)]
    assert windows[telling(1).group].until == NOW + 30 * S


def test_a_persons_own_steps_count_from_each_message_and_share_its_call() -> None:
    placed = place([telling(n, sms_after_s=300) for n in (1, 2, 3)], {}, NOW, ids())

    assert said(placed) == [
        ([1], "ntfy", 0.0, False),
        ([1], "sms", 300.0, False),
        ([2, 3], "ntfy", 30.0, True),
        ([2, 3], "sms", 330.0, True),
    ]
    assert placed.first_due == {1: NOW, 2: NOW + 30 * S, 3: NOW + 30 * S}
    calls = [d.call for d in placed.new]
    assert calls[0] == calls[1] != calls[2] == calls[3]
