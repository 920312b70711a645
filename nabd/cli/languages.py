"""In which language a command speaks: the one asked for, else that of the machine, else English."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from devices.texts.languages import DEFAULT, LANGUAGES, Language

Lang = Annotated[str | None, typer.Option(help=f"{', '.join(LANGUAGES)}; the machine's language without it")]


def language_of(asked: str | None) -> Language:
    """Return the language asked for, else that of the machine.

    Raises:
        typer.BadParameter: it is none of ours.
    """
    if asked is not None and asked not in LANGUAGES:
        raise typer.BadParameter(f"{asked!r}: one of {', '.join(LANGUAGES)}")
    named = asked or os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return next((language for language in LANGUAGES if named.lower().startswith(language)), DEFAULT)
