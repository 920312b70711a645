"""The language of an answer: English, French or Arabic, by `Accept-Language` (RFC 9110, 12.5.4).

Pure. Must not know routes or texts.
"""

from __future__ import annotations

from devices.texts.languages import DEFAULT, LANGUAGES, Language


def negotiate(accept_language: str | None) -> Language:
    """Return the best of our languages; the first mentioned wins among equals, English otherwise."""
    best: Language = DEFAULT
    best_weight = 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        language = _known(tag.strip().lower())
        weight = _weight(parameters)
        if language is not None and weight > best_weight:
            best, best_weight = language, weight
    return best


def _known(tag: str) -> Language | None:
    primary = tag.split("-")[0]
    for language in LANGUAGES:
        if language == primary:
            return language
    return None


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
