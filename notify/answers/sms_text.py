"""What an SMS says that answers one of ours: its code, whether the writer can come, a comment. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass

from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from notify.message import ReaderAnswer

_CODE = re.compile(r"(?<!\d)\d{5}(?!\d)")
LEAST_COMMENT = 4
_WORD = re.compile(r"[^\W\d_]+")
_AROUND = " \t\r\n.,;:!?،؛؟-–—"


@dataclass(frozen=True, slots=True)
class SmsText:
    """What was understood. comment: what else the writer says; may be empty."""

    code: str
    answer: ReaderAnswer
    comment: str


def understood(said: str) -> SmsText | None:
    """Return what an SMS says; None where it has no code, or several.

    `48213` acknowledges; `no 48213`, in any of our languages, says that the writer cannot come. Digits may be
    those of any script. What stands beside them is a comment.
    """
    plain = "".join(_latin_digit(c) for c in said).casefold()
    codes = set(_CODE.findall(plain))
    if len(codes) != 1:
        return None
    declines = {text(language, "answer.no_word").casefold() for language in LANGUAGES}
    refuses = bool(set(_WORD.findall(plain)) & declines)
    return SmsText(
        codes.pop(), ReaderAnswer.DECLINE if refuses else ReaderAnswer.ACKNOWLEDGE, _comment(said, declines)
    )


def _comment(said: str, declines: Container[str]) -> str:
    """Return what is left without the code and the word that declines; "ok" and the like say nothing."""
    rest = _CODE.sub(" ", said)
    first = next((word for word in _WORD.finditer(rest) if word[0].casefold() in declines), None)
    if first is not None:
        rest = f"{rest[: first.start()]} {rest[first.end() :]}"
    comment = " ".join(rest.split()).strip(_AROUND)
    return comment if len(comment) >= LEAST_COMMENT else ""


def number_of(sender: str) -> str:
    """Return the digits of a telephone number, however it is written: +961 70 1, 0096170-1."""
    return "".join(c for c in sender if c in "0123456789").lstrip("0")


def _latin_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
