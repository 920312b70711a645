"""What was probably meant by a name that is not known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(name: str, known: Iterable[str]) -> str:
    """Return a sentence part that suggests what was meant and lists what is known."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"known: {', '.join(names) or 'none yet'}"


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return what was probably meant, None where nothing is close."""
    found = get_close_matches(name, sorted(known), n=1)
    return found[0] if found else None
