"""What an SMS says that answers one of ours: code, whether the writer cannot come, and who sent it. Pure."""

from __future__ import annotations

import re
import unicodedata

from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from notify.message import ReaderAnswer

_CODE = re.compile(r"(?<!\d)\d{5}(?!\d)")


def understood(said: str) -> tuple[str, ReaderAnswer] | None:
    """Return code and answer of an SMS; None where it has no code, or several.

    `48213` acknowledges; `no 48213`, in any of our languages, says that the writer cannot come. Digits may be
    those of any script.
    """
    plain = "".join(_latin_digit(c) for c in said).casefold()
    codes = set(_CODE.findall(plain))
    if len(codes) != 1:
        return None
    declines = {text(language, "answer.no_word").casefold() for language in LANGUAGES}
    words = set(re.findall(r"[^\W\d_]+", plain))
    return codes.pop(), ReaderAnswer.DECLINE if words & declines else ReaderAnswer.ACKNOWLEDGE


def number_of(sender: str) -> str:
    """Return the digits of a telephone number, however it is written: +961 70 1, 0096170-1."""
    return "".join(c for c in sender if c in "0123456789").lstrip("0")


def _latin_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)
