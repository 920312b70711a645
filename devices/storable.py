"""Replaces what PostgreSQL cannot store in text and jsonb: NUL and lone surrogates.

Pure. For texts that devices sent: they are stored with replacements rather than refused.
"""

from __future__ import annotations

from typing import Any


def storable(text: str, limit: int | None = None) -> str:
    """Return the text as PostgreSQL can store it, at most `limit` characters; the last of a cut one is …."""
    clean = text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    return clean if limit is None or len(clean) <= limit else clean[: limit - 1] + "…"


def storable_json(value: Any) -> Any:
    """Return a JSON value with all its texts storable, member names included."""
    match value:
        case str():
            return storable(value)
        case list():
            return [storable_json(item) for item in value]
        case dict():
            return {storable(name): storable_json(item) for name, item in value.items()}
        case _:
            return value
