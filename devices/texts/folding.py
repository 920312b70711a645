"""Text as search compares it: digits of any script, hamza, ta marbuta, marks, accents and case are one.

The database does the same in its function `folded` (store/migrations/0041_search.sql). Must not know what is
searched.
"""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670]")
_LETTERS = str.maketrans("ٱىیکة٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "اييكه01234567890123456789")


def folded(said: str) -> str:
    """Return a text as search compares it; what looks the same to a reader is the same."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", said)).lower().translate(_LETTERS)
