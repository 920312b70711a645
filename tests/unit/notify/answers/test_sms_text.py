"""What people write back."""

from __future__ import annotations

import pytest

from notify.answers.sms_text import number_of, understood
from notify.message import ReaderAnswer


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("48213", ReaderAnswer.ACKNOWLEDGE),
        (" ok 48213. ", ReaderAnswer.ACKNOWLEDGE),
        ("٤٨٢١٣", ReaderAnswer.ACKNOWLEDGE),
        ("۴۸۲۱۳", ReaderAnswer.ACKNOWLEDGE),
        ("48213 I know: on my way", ReaderAnswer.ACKNOWLEDGE),
        ("No 48213", ReaderAnswer.DECLINE),
        ("48213 NON", ReaderAnswer.DECLINE),
        ("لا ٤٨٢١٣", ReaderAnswer.DECLINE),
        ("48213 48213", ReaderAnswer.ACKNOWLEDGE),
    ],
)
def test_code_and_answer_are_understood(said: str, answer: ReaderAnswer) -> None:
    found = understood(said)

    assert found is not None
    assert (found.code, found.answer) == ("48213", answer)


@pytest.mark.parametrize("said", ["", "ok", "4821", "482131", "48213 48214"])
def test_text_without_one_code_is_not(said: str) -> None:
    assert understood(said) is None


@pytest.mark.parametrize("sender", ["+961 70 123 456", "0096170123456", "961-70-123456"])
def test_number_is_the_same_however_it_is_written(sender: str) -> None:
    assert number_of(sender) == "96170123456"


@pytest.mark.parametrize(
    ("said", "comment"),
    [
        ("48213", ""),
        ("NON 48213", ""),
        ("Non, 48213 : je suis malade", "je suis malade"),
        ("48213 - j'arrive dans 10 min", "j'arrive dans 10 min"),
        ("لا ٤٨٢١٣، أنا مريض", "أنا مريض"),
        ("no 48213 no car", "no car"),
        ("ok 48213!", ""),
    ],
)
def test_what_else_is_said_is_a_comment(said: str, comment: str) -> None:
    found = understood(said)

    assert found is not None
    assert found.comment == comment
