"""What words of a search may mean: kinds and severities are found by their names in any language too."""

from __future__ import annotations

from alerts.transition import Severity
from devices.kinds import Kinds
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES
from devices.texts.searching import meanings


def words_of(words: str | None, kinds: Kinds, *, severities: bool = False) -> tuple[str, ...]:
    """Return the words of a search, each with what it may mean (devices.texts.searching).

    severities: what is searched has one.
    """
    names = {f"kind:{name}.": list(kind.title.values()) for name, kind in kinds.items()}
    if severities:
        for one in Severity:
            names[f"severity:{one}."] = [text(language, f"severity.{one}") for language in LANGUAGES]
    return meanings(words or "", names)
