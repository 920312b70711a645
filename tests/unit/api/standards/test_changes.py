"""The order of changes: each device once, nothing told before its time, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alerts.overview.changed import ChangedAlert, ChangedDevice
from api.standards.ngsi_ld.subscriptions.changes import ChangePage, Changes, DeviceChange, WantedChanges

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 100
BINS = WantedChanges(kinds={"bin"})


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def heard(name: str, minutes: float, *, town: str = "tripoli", registered: float = -60.0) -> ChangedDevice:
    return ChangedDevice(
        name=name, kind="bin", municipality=town, heard_at=at(minutes), registered_at=at(registered)
    )


def alert(name: str, minutes: float) -> ChangedAlert:
    return ChangedAlert(cursor=(1, 1), name=name, kind="bin", municipality="tripoli", at=at(minutes))


@dataclass
class Page:
    changes: Sequence[DeviceChange]
    place: int
    told_until: datetime | None


def page(
    changes: Changes,
    place: int = 0,
    *,
    since: float = 0,
    towns: list[str] | None = None,
    names: list[str] | None = None,
    kind: str = "bin",
) -> Page:
    """Return a round that is told in one page."""
    found = changes.begin(place, at(since), WantedChanges(kinds={kind}, towns=towns, names=names))
    told = found.page(MANY)
    found.told(told)
    return Page(told.changes, found.until, told.told_until)


def names(found: Page | ChangePage) -> list[str]:
    return [one.name for one in found.changes]


def test_device_stands_once_at_its_last_change() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 1), heard("b", 2)], NOON)
    first = page(changes)
    changes.note_devices([heard("b", 2), heard("a", 3)], NOON)

    assert (names(first), first.told_until) == (["a", "b"], at(2))
    assert names(page(changes)) == ["b", "a"]
    assert names(page(changes, first.place)) == ["a"]
    assert names(page(changes, page(changes).place)) == []


def test_what_was_read_before_is_no_news_and_what_came_late_is() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 5)], NOON)
    seen = page(changes)
    changes.note_devices([heard("late", 4.9), heard("a", 5)], at(4.5))

    assert names(page(changes, seen.place)) == ["late"]
    assert changes.newest == at(5)


def test_cause_counts_only_where_it_is_new() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 1, registered=-5)], NOON)
    changes.note_alerts([alert("a", 2), alert("b", 2)])
    both, (only_alert,) = page(changes).changes[0], page(changes, 2).changes

    assert (both.heard, both.registered, both.alerted) == (True, False, True)
    assert (only_alert.name, only_alert.heard, only_alert.alerted) == ("b", False, True)
    assert not page(changes, since=1).changes[0].heard, "before the time of who asks"


def test_page_says_from_when_on_something_is_left() -> None:
    changes = Changes()
    changes.note_devices([heard(name, minute) for minute, name in enumerate("abcd", start=1)], NOON)
    changes.note_alerts([alert("early", 0.5)])
    found = changes.begin(0, NOON, BINS)

    seen = []
    while not found.is_over:
        told = found.page(2)
        found.told(told)
        seen.append((names(told), told.told_until))

    assert seen == [(["a", "b"], at(0.5)), (["c", "d"], at(0.5)), (["early"], at(4))]


def test_what_changes_again_keeps_its_turn_however_often_and_comes_in_the_next_round() -> None:
    changes = Changes()
    changes.note_devices([heard(name, 1) for name in "abcdef"], NOON)
    found = changes.begin(0, NOON, BINS)
    told: list[str] = []
    for minute in range(2, 8):
        last = found.page(1)
        told += names(last)
        found.told(last)
        changes.note_devices([heard(name, minute) for name in "bcdef"], NOON)

    assert told == ["a", "b", "c", "d", "e", "f"]
    assert found.is_over
    assert last.told_until == at(6), "what changed again is left"
    assert names(page(changes, found.until)) == ["b", "c", "d", "e", "f"]


def test_nothing_counts_as_told_before_what_comes_late_was_asked_for() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 1)], NOON)
    changes.note_devices([heard("a", 5)], NOON, settles=False)
    before = page(changes).told_until
    changes.note_devices([heard("a", 5), heard("late", 4)], NOON)

    assert (before, page(changes).told_until) == (at(1), at(5))


def test_alert_that_is_noticed_late_is_told_by_whoever_was_told_before() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 5)], NOON)
    told = page(changes)
    changes.note_alerts([alert("b", 1)])

    assert names(page(changes, told.place, since=4)) == ["b"]
    assert names(page(changes, 0, since=4)) == ["a"], "and is before the time of who was told nothing yet"


def test_others_are_passed_over_before_pages_are_made() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 1), heard("b", 1.5), heard("far", 2, town="nablus")], NOON)

    assert names(page(changes, towns=["nablus"])) == ["far"]
    assert names(page(changes, towns=[])) == []
    assert names(page(changes, names=["far", "nobody"])) == ["far"]
    assert names(page(changes, names=["far", "a"], towns=["tripoli"])) == ["a"]
    other = page(changes, kind="light")
    assert (other.changes, other.place, other.told_until) == ([], changes.place, at(2))
