"""The order of changes: each device once, nothing told before its time, nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from alerts.overview.changed import ChangedAlert, ChangedDevice
from api.standards.ngsi_ld.subscriptions.changes import ChangePage, Changes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MANY = 100


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def heard(name: str, minutes: float, *, town: str = "tripoli", registered: float = -60.0) -> ChangedDevice:
    return ChangedDevice(
        name=name, kind="bin", municipality=town, heard_at=at(minutes), registered_at=at(registered)
    )


def alert(name: str, minutes: float) -> ChangedAlert:
    return ChangedAlert(cursor=(1, 1), name=name, kind="bin", municipality="tripoli", at=at(minutes))


def page(
    changes: Changes, place: int = 0, *, since: float = 0, towns: list[str] | None = None, limit: int = MANY
) -> ChangePage:
    return changes.after(place, at(since), {"bin"}, towns, limit)


def names(found: ChangePage) -> list[str]:
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
    assert not page(changes, since=1).changes[0].heard, "told before, as far as who asks knows"


def test_page_says_from_when_on_something_is_left() -> None:
    changes = Changes()
    changes.note_devices([heard(name, minute) for minute, name in enumerate("abcd", start=1)], NOON)
    changes.note_alerts([alert("early", 0.5)])

    first = page(changes, limit=2)
    rest = page(changes, first.place)

    assert (names(first), first.told_until) == (["a", "b"], at(0.5))
    assert (names(rest), rest.told_until) == (["c", "d", "early"], at(4))


def test_other_kinds_and_municipalities_are_passed_over() -> None:
    changes = Changes()
    changes.note_devices([heard("a", 1), heard("far", 2, town="nablus")], NOON)

    assert names(page(changes, towns=["nablus"])) == ["far"]
    assert names(page(changes, towns=[])) == []
    assert changes.after(0, NOON, {"light"}, None, MANY).changes == []
    assert changes.after(0, NOON, {"light"}, None, MANY).place == changes.place
