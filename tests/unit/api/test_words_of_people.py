"""What people type into comments and titles of work."""

from __future__ import annotations

import re

import pytest

from api.schemas.words import AS_RECEIVED, NO_CONTROL
from devices.acceptable import DIRECTING


@pytest.mark.parametrize("sign", sorted(DIRECTING))
def test_what_turns_the_direction_is_typed_by_nobody_and_comes_from_telephones(sign: str) -> None:
    assert re.fullmatch(NO_CONTROL, f"Lid {sign}open") is None
    assert re.fullmatch(AS_RECEIVED, f"Lid {sign}open")


@pytest.mark.parametrize("text", ["", "Lid open\nand bent", "الغطاء\u200f مفتوح", "\U0001f6a8"])
def test_ordinary_texts_are_taken(text: str) -> None:
    assert re.fullmatch(NO_CONTROL, text)
