"""What words of a search may mean: kinds and severities are found by their names in any language too."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from alerts.transition import Severity
from devices.kinds import Kinds
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from devices.texts.searching import LONGEST, meanings

Words = Annotated[
    str | None,
    Query(
        max_length=LONGEST,
        description="each in what is said of it, in its device, place, kind, rule or number, in any language",
    ),
]


def words_of(words: str | None, kinds: Kinds, *, severities: bool = False) -> tuple[str, ...]:
    """Return the words of a search, each with what it may mean (devices.texts.searching).

    severities: what is searched has one.
    """
    names = {f"kind:{name}.": list(kind.title.values()) for name, kind in kinds.items()}
    if severities:
        for one in Severity:
            names[f"severity:{one}."] = [text(language, f"severity.{one}") for language in LANGUAGES]
    return meanings(words or "", names)
