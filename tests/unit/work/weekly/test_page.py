"""The page of a week: whole in each language, escaped, drawn with texts beside, and fetching nothing."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from devices.registry.errors import Conflict
from devices.texts.languages import LANGUAGES, Language
from tests.unit.work.figures.builders import WEEK, at
from tests.unit.work.weekly.reports import TRIPOLI, done, open_work, report
from work.weekly.bars import bar
from work.weekly.page import headline, page_of
from work.weekly.paper import pdf_of
from work.weekly.wording import wording_of

HOSTILE = '<script>alert(1)</script>"&'


class _Balanced(HTMLParser):
    """Notes which elements are open; raises where one is closed that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_fetches_nothing(language: Language) -> None:
    page = page_of(report(), language)
    parser = _Balanced()
    parser.feed(page)

    assert parser.open == []
    assert parser.seen.isdisjoint({"script", "img", "link", "iframe", "object"})
    assert re.search(r"(src|href|url)\s*[=(]|//", page) is None
    assert "weekly." not in page, "every text is translated"
    assert page.count("<svg") == page.count('role="img"') == page.count("<title>") - 1


def test_arabic_runs_from_right_to_left_in_the_digits_of_the_town() -> None:
    page = page_of(report(), "ar")
    shown = re.sub(r"<style>.*</style>|<[^>]*>", " ", page, flags=re.S)

    assert '<html lang="ar" dir="rtl">' in page
    assert "٧٥٪" in shown
    assert re.findall(r"\d%", shown) == []


@pytest.mark.parametrize(
    ("language", "place"), [("en", "Corniche 12"), ("fr", "Corniche nord 12"), ("ar", "الكورنيش 12")]
)
def test_devices_are_called_as_the_reader_calls_them(language: Language, place: str) -> None:
    page = page_of(report(), language)

    assert page.count(f"<bdi>{place}</bdi>") == 4, (
        "three open orders, and a device that fails again and again"
    )


def test_every_text_is_escaped() -> None:
    title = dict.fromkeys(LANGUAGES, HOSTILE)
    order = open_work(
        device=HOSTILE,
        device_title=HOSTILE,
        device_titles={},
        title=HOSTILE,
        assignee=HOSTILE,
        district=title,
    )
    titles = {"district mina": title, "team lights": title}
    page = page_of(report(open=[order], titles=titles), "en")

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 7
    assert "<script" not in bar(0.5, HOSTILE, rightward=True)


def test_the_headline_says_whether_the_aim_is_reached() -> None:
    w = wording_of(TRIPOLI, "en")

    assert headline(report(), w) == (
        "7 work orders were made, 5 were done. At the end 4 were open, 1 of them late. Readings verified"
        " 75% of the repairs that they judged: the aim of 80% is missed."
    )
    assert "is reached" in headline(report(orders=[done(4, 8)]), w)


def test_an_empty_week_says_so() -> None:
    page = page_of(report(orders=[], open=[], repeated=[]), "en")

    assert "0 work orders were made, 0 were done" in page
    assert "No repair was judged by readings this week." in page
    assert "No order was open." in page
    assert "0%" not in page.replace("100%", "").replace("80%", "").split("</style>")[1]


def test_who_sees_no_names_sees_no_teams() -> None:
    page = page_of(report(named=False, open=[open_work()]), "en")

    assert "By team" not in page
    assert "Whose" not in page


def test_a_week_that_is_not_over_says_so() -> None:
    page = page_of(report(until_at=at(30), now=at(30)), "en")

    assert "The week is not over" in page
    assert "The week is not over" not in page_of(report(now=WEEK.until_at + timedelta(hours=7)), "en")


def test_bars_grow_the_way_lines_run() -> None:
    assert '<rect x="0.0" y="0" width="50.0"' in bar(0.25, "a quarter", rightward=True)
    assert '<rect x="150.0" y="0" width="50.0"' in bar(0.25, "a quarter", rightward=False)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(None, "–"), (60, "1 min"), (9000, "2.5 hrs"), (864000, "10 days")], ids=str
)
def test_a_length_is_told_in_the_unit_in_which_it_is_read_best(seconds: float | None, expected: str) -> None:
    assert wording_of(TRIPOLI, "en").lasting(seconds) == expected


def test_a_machine_without_the_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    with pytest.raises(Conflict, match=r"pip install 'nabd\[pdf\]'"):
        pdf_of("<p>")


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.796, "79%"), (399 / 400, "99%"), (1.0, "100%"), (0.29, "29%"), (0.004, "0.4%"), (0.0, "0%")],
    ids=str,
)
def test_a_share_is_never_written_as_more_than_it_is(share: float, expected: str) -> None:
    assert wording_of(TRIPOLI, "en").share(share) == expected


def test_arabic_writes_units_as_words_and_what_helped_as_what_is_gone() -> None:
    page = page_of(report(), "ar")

    w = wording_of(TRIPOLI, "ar")

    assert (w.lasting(11 * 60), w.lasting(4.4 * 3600)) == ("١١ دقيقة", "٤٫٤ ساعة")
    assert (w.lasting(2.1 * 86_400), w.lasting(12.5 * 86_400)) == ("٢٫١ يوم", "١٢٫٥ يوم")
    assert "duration" not in page
    assert "تلك التي اختفى العطل بعدها" in page
    assert "يُعدّ ناجحًا ما زال" not in page


def test_an_instant_of_another_year_says_which() -> None:
    w, late = wording_of(TRIPOLI, "en"), at(-24 * 365)

    assert w.moment(late, at(0)) == "23 Nov 2025 02:00"
    assert (w.moment(at(0), at(1)), w.moment(at(0))) == ("23 Nov 02:00", "23 Nov 2026 02:00")
    assert "23 Nov 2025" in page_of(report(open=[open_work(due_at=late)]), "en")
