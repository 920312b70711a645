"""Which reports can be kept, and which answers a checklist takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf, nan

import pytest

from devices.kinds import load
from devices.kinds.kind import ChecklistItem
from devices.registry.errors import Invalid
from work.change import OLDEST, claimed_moment
from work.checklists import check_answers
from work.report import CheckedItem, UsedPart, WorkReport, check_report
from work.suggestions import SuggestedTechnician, ranked

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ITEMS = (ChecklistItem(name="lid_closes"), ChecklistItem(name="emptied"))


def report(**more: object) -> WorkReport:
    return WorkReport(**{"found": "", "done": "put a new lid on", **more})  # type: ignore[arg-type]


def test_html_in_a_report_is_text_like_any_other() -> None:
    check_report(report(found="<script>alert(1)</script>"))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"done": " "}, "done"),
        ({"done": "x" * 4001}, "done"),
        ({"found": "a\x00b"}, "found"),
        ({"parts": [UsedPart(name="")]}, "parts"),
        ({"parts": [UsedPart(name="cable", quantity=0)]}, "parts"),
        ({"parts": [UsedPart(name="cable", quantity=nan)]}, "parts"),
        ({"parts": [UsedPart(name="cable", quantity=inf)]}, "parts"),
        ({"parts": [UsedPart(name="lid")] * 101}, "parts"),
        ({"checklist": [CheckedItem(item="emptied", answer="maybe")]}, "checklist"),  # type: ignore[arg-type]
        ({"checklist": [CheckedItem(item="emptied", answer="yes")] * 2}, "checklist"),
    ],
)
def test_a_report_that_cannot_be_kept_is_refused(more: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_report(report(**more))
    assert refused.value.field == field


def test_answers_to_what_is_not_on_the_checklist_are_refused_with_what_was_meant() -> None:
    check_answers(report(checklist=[CheckedItem(item="emptied", answer="no")]), ITEMS)
    with pytest.raises(Invalid, match="emptied"):
        check_answers(report(checklist=[CheckedItem(item="emptyed", answer="yes")]), ITEMS)
    with pytest.raises(Invalid):
        check_answers(report(checklist=[CheckedItem(item="emptied", answer="yes")]), ())


def test_every_built_in_kind_has_a_checklist_in_three_languages() -> None:
    for kind in load().values():
        assert kind.checklist
        assert all(set(item.label) == {"en", "fr", "ar"} for item in kind.checklist)


def test_the_time_of_a_step_lies_neither_ahead_nor_far_back() -> None:
    assert claimed_moment(None, NOW) == NOW
    assert claimed_moment(NOW + timedelta(minutes=4), NOW) == NOW, "a clock that is a little ahead"
    assert claimed_moment(NOW - OLDEST, NOW) == NOW - OLDEST
    for said in (NOW + timedelta(minutes=6), NOW - OLDEST - timedelta(seconds=1)):
        with pytest.raises(Invalid, match="happened_at"):
            claimed_moment(said, NOW)


def test_who_knows_the_kind_comes_before_who_knows_the_district_before_who_has_time() -> None:
    def one(name: str, kind: bool, district: bool, orders: int) -> SuggestedTechnician:
        return SuggestedTechnician(
            name=name, display_name=name, knows_kind=kind, knows_district=district, open_orders=orders
        )

    found = ranked([one("d", False, False, 0), one("c", False, True, 0), one("b", True, True, 3),
                    one("a", True, True, 1), one("e", True, False, 0)])  # fmt: skip

    assert [o.name for o in found] == ["a", "b", "e", "c", "d"]
