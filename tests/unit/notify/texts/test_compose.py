"""What a technician reads of an alert, and of many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from alerts.transition import Severity
from devices.texts.languages import LANGUAGES, Language
from notify.message import NotificationMessage, Occasion
from notify.texts.compose import MOST_LINES, compose
from notify.texts.sms import fits
from tests.unit.notify.builders import NOON, make_news, make_reader

URL = "https://nabd.example.org/answer/41.s0mE-sIgned_wordsOfMany"


def said(*news: object, language: Language = "en", **changes: object) -> NotificationMessage:
    """Return what is composed of alerts, with a link and a code."""
    return compose("m-1", "t-1", news, make_reader(language, **changes), url=URL, answer_code="K7QP")  # type: ignore[arg-type]


def test_message_says_what_where_since_when_what_to_do_first_and_how_to_answer() -> None:
    message = said(make_news(), at=NOON + timedelta(minutes=25, seconds=30))

    assert message.subject == "Critical: Bin bin-17 is 97 % full, Nejmeh Square"
    assert message.text.splitlines() == [
        "Bin bin-17 is 97 % full",
        "Nejmeh Square (bin-17)",
        "Since 15:00, for 25 min.",
        "First: Empty it on this round",
        "Map: geo:34.436700,35.849700",
        "",
        f"Answer: {URL}",
    ]
    assert (message.id, message.thread, message.alerts) == ("m-1", "t-1", (7,))


def test_message_says_it_in_arabic_with_names_in_their_own_direction() -> None:
    news = make_news(sentence="الحاوية ممتلئة", place="ساحة النجمة", first_action=None)

    message = said(news, language="ar", at=NOON + timedelta(hours=2, minutes=5))

    assert message.subject == "حرج: الحاوية ممتلئة، \u2068ساحة النجمة\u2069"
    assert message.text.splitlines()[1:3] == [
        "\u2068ساحة النجمة\u2069 (\u2068bin-17\u2069)",
        "منذ 15:00، المدة: ساعتان و5 دقائق.",
    ]


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (datetime(2026, 5, 31, 20, 59, tzinfo=UTC), "Since 31/05 23:59"),
        (datetime(2026, 5, 31, 21, tzinfo=UTC), "Since 00:00"),
        (datetime(2025, 12, 31, 22, tzinfo=UTC), "Since 01/01 00:00"),
        (datetime(2025, 12, 31, 21, 59, tzinfo=UTC), "Since 31/12/2025 23:59"),
    ],
)
def test_time_is_that_of_the_readers_clock_and_has_its_day_unless_it_is_today(
    since: datetime, told: str
) -> None:
    assert f"{told}, for " in said(make_news(since=since)).text


def test_resolved_message_says_how_long_it_lasted_and_asks_for_nothing() -> None:
    news = make_news(occasion=Occasion.RESOLVED, until=NOON + timedelta(hours=3, minutes=4, seconds=9))

    message = said(news, at=NOON + timedelta(hours=4))

    assert message.subject == "Over, was critical: Bin bin-17 is 97 % full, Nejmeh Square"
    assert "Over since 18:04; it lasted 3 h 4 min." in message.text
    assert "First:" not in message.text


def test_late_message_says_how_late_it_is() -> None:
    message = said(make_news(late_s=7200.0))

    assert "Told late: it happened 2 h ago." in message.text
    assert "Told late: it happened 2 h ago." in message.short


@pytest.mark.parametrize(
    ("occasion", "subject"),
    [
        (Occasion.WORSE, "Aggravation, critique : Bin bin-17 is 97 % full, Nejmeh Square"),
        (Occasion.REMINDER, "Toujours ouvert, critique : Bin bin-17 is 97 % full, Nejmeh Square"),
    ],
)
def test_subject_says_why_it_is_told(occasion: Occasion, subject: str) -> None:
    assert said(make_news(occasion=occasion), language="fr").subject == subject


def test_digest_counts_by_severity_and_begins_with_the_worst() -> None:
    over = make_news(alert=1, occasion=Occasion.RESOLVED)
    minor = [make_news(alert=n, severity=Severity.MINOR) for n in (2, 3)]

    message = said(over, *minor, make_news(alert=4))

    assert message.subject == "4 alerts: 1 critical, 2 minor, 1 over"
    assert message.alerts == (4, 2, 3, 1)
    assert message.severity is Severity.CRITICAL
    assert [line[:12] for line in message.text.splitlines()[:4]] == [
        "- Critical: ", "- Minor: Bin", "- Minor: Bin", "- Over, was ",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (2, "تنبيهان: اثنان حرجان"),
        (3, "3 تنبيهات: 3 حرجة"),
        (11, "11 تنبيهًا: 11 حرجًا"),
        (100, "100 تنبيه: 100 حرج"),
    ],
)
def test_digest_counts_in_arabic_with_the_form_that_fits_the_number(count: int, told: str) -> None:
    assert said(*[make_news(alert=n) for n in range(1, count + 1)], language="ar").subject == told


def test_digest_is_long_no_longer_than_its_limit_and_says_how_many_are_left() -> None:
    message = said(*[make_news(alert=n) for n in range(1, MOST_LINES + 20)])

    assert len([line for line in message.text.splitlines() if line.startswith("- ")]) == MOST_LINES
    assert "and 19 more" in message.text
    assert message.html
    assert "and 19 more" in message.html
    assert len(message.alerts) == MOST_LINES + 19


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("occasion", Occasion)
@pytest.mark.parametrize("length", [1, 40, 400])
@pytest.mark.parametrize("letters", ["wide ", "ممتلئة ", "œuvre ", "x", "[€] ", "🗑"])
def test_short_fits_one_sms_with_its_code_whole(
    language: Language, occasion: Occasion, length: int, letters: str
) -> None:
    long = (letters * length)[:length]
    news = make_news(occasion=occasion, sentence=long, place=long)

    for several in ([news], [news] * 30):
        message = said(*several, language=language)
        assert fits(message.short), message.short
        assert "K7QP" in message.short
        assert URL in message.short or "https" not in message.short


def test_short_has_the_link_where_there_is_room_for_it() -> None:
    assert said(make_news()).short.endswith(f"Reply K7QP to acknowledge. {URL}")
    assert "https" not in said(make_news(sentence="ممتلئة")).short


@pytest.mark.parametrize(
    ("language", "sentence", "short"),
    [
        (
            "fr",
            "Suspicion d'incendie dans le bac Marché 1 : 85 °C",
            (
                "Toujours ouvert, critique : Suspicion d'incendie dans le bac Marché 1 : 85 C. Début : 15:00."
                " Répondez K7QP pour confirmer."
            ),
        ),
        (
            "ar",
            "اشتباه حريق في الحاوية Marché 1: 85",
            "ما زال مفتوحًا، حرج: اشتباه حريق في الحاوية Marché… للإقرار أرسل K7QP",
        ),
    ],
)
def test_short_says_what_is_the_matter_before_the_time_and_the_link(
    language: Language, sentence: str, short: str
) -> None:
    news = make_news(occasion=Occasion.REMINDER, sentence=sentence, place="Marché 1, Rue 4")

    assert said(news, language=language).short == short


def test_device_text_is_escaped_in_html_and_cannot_add_lines() -> None:
    news = make_news(device="<b>x", sentence='<script>"&', place="a\r\nBcc: x\u2028y")

    message = said(news, make_news(alert=8, sentence="<i>\n- fake"))

    assert message.html
    assert "<script>" not in message.html
    assert "&lt;script&gt;&quot;&amp;" in message.html
    assert "<i>" not in message.html
    assert "<b>" not in message.html
    assert "\n- fake" not in message.text
    assert "\nBcc" not in said(news).text
    assert "\n" not in said(news).subject


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
def test_html_runs_as_the_language_does(language: Language, direction: str) -> None:
    message = said(make_news(), language=language)

    assert message.html
    assert f'<html lang="{language}" dir="{direction}">' in message.html
    assert f'href="{URL}"' in message.html
