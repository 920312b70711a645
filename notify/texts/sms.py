"""What fits into one SMS: 160 characters of the GSM alphabet, or 70 UTF-16 units of any other. Pure.

Must not know what a message is about.
"""

from __future__ import annotations

import unicodedata

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 3GPP TS 23.038."""
GSM_OF_TWO = frozenset("^{}\\[~]|€")
"""Those of its extension, which take two places."""
GSM_PLACES, OTHER_PLACES = 160, 70

_SPELLED = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "·": "-", "•": "-",
     "…": "...", "°": "", "œ": "oe", "Œ": "OE", "²": "2", "³": "3", "×": "x", "µ": "u"}
)  # fmt: skip
"""How typographic signs are written in the GSM alphabet."""


def places(text: str) -> int:
    """Return how many places a text takes in an SMS."""
    if _is_gsm(text):
        return sum(2 if character in GSM_OF_TWO else 1 for character in text)
    return len(text.encode("utf-16-be")) // 2


def fits(text: str) -> bool:
    """Tell whether a text fits into one SMS."""
    return places(text) <= (GSM_PLACES if _is_gsm(text) else OTHER_PLACES)


def simplified(text: str) -> str:
    """Return a text in the GSM alphabet where leaving accents away is enough, else as it is.

    Invisible marks of direction go, and spaces become ordinary ones: each would take a place, or make 160
    characters 70.
    """
    shown = "".join(c for c in text if unicodedata.category(c) != "Cf")
    spaced = " ".join(shown.split())
    spelled = "".join(c if c in GSM else _without_accent(c) for c in spaced.translate(_SPELLED))
    return spelled if _is_gsm(spelled) else spaced


def shortened(text: str, rest: str) -> str:
    """Return `text rest` in one SMS: the text is cut after a word, the rest never.

    Returns:
        the rest alone where it leaves no room.
    """
    whole = f"{text} {rest}".strip()
    if fits(whole):
        return whole
    mark = "..." if _is_gsm(whole) else "…"
    words = text.split(" ")
    for count in range(len(words) - 1, 0, -1):
        cut = f"{' '.join(words[:count]).rstrip(',;:.-،')}{mark} {rest}".strip()
        if fits(cut):
            return cut
    return _within_a_word(text, mark, rest)


def _within_a_word(text: str, mark: str, rest: str) -> str:
    for count in range(len(text) - 1, 0, -1):
        cut = f"{text[:count]}{mark} {rest}".strip()
        if fits(cut):
            return cut
    return rest


def _is_gsm(text: str) -> bool:
    return all(character in GSM or character in GSM_OF_TWO for character in text)


def _without_accent(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0]
    return base if base in GSM else character
