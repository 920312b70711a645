"""Names of features as files write them: by language, under the usual properties, and the code. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from devices.acceptable import fault
from devices.registry.errors import Invalid
from devices.registry.ground.feature import AUTO, is_code
from devices.registry.validation import check_title
from devices.texts.languages import LANGUAGES

IDS = ("id", "@id")
"""Properties that hold a code where there is no `code`: as written by OpenStreetMap's exports."""
_BY_LANGUAGE = re.compile(rf"(?:name|title)[:_. -]({'|'.join(LANGUAGES)})", re.IGNORECASE)
_ARABIC = re.compile(r"[\u0600-\u06ff]")


def titles(properties: Mapping[str, Any], local: str) -> dict[str, str]:
    """Return a feature's names by language, in the order of the platform's languages.

    Taken are `name:ar`, `name_ar`, `name.ar`, the same with `title`, `{"name": {"ar": …}}`, and plain `name`:
    Arabic where it is written so, otherwise in the language `local`, or English where that is Arabic.

    Raises:
        Invalid: a name is not text, cannot be kept, or there is none at all.
    """
    found: dict[str, str] = {}
    for key, value in _said(properties, local):
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise Invalid(f"properties/{key[0]}", f"{value!r} is not text: put it in quotes")
        if (wrong := fault(value)) is not None:
            raise Invalid(f"properties/{key[0]}", wrong[1])
        text = " ".join(value.split())
        try:
            check_title(text)
        except Invalid as problem:
            raise Invalid(f"properties/{key[0]}", problem.message) from None
        if text:
            found.setdefault(key[1], text)
    if not found:
        raise Invalid(
            "properties",
            "it has no name: write name:en, name:fr and name:ar, or at least name, among its properties",
        )
    return {language: found[language] for language in LANGUAGES if language in found}


def _said(properties: Mapping[str, Any], local: str) -> list[tuple[tuple[str, str], Any]]:
    """Return what stands under the usual keys, as ((property, language), value); plain names come last."""
    by_language = []
    plain = []
    for key, value in properties.items():
        if matched := _BY_LANGUAGE.fullmatch(key):
            by_language.append(((key, matched[1].lower()), value))
        elif key.lower() in ("name", "title"):
            if isinstance(value, Mapping):
                by_language += [((key, language), value.get(language)) for language in LANGUAGES]
            else:
                plain.append(((key, _language(value, local)), value))
    return by_language + plain


def _language(text: object, local: str) -> str:
    if isinstance(text, str) and _ARABIC.search(text):
        return "ar"
    return "en" if local == "ar" else local


def code_of(properties: Mapping[str, Any], identifier: object, title: Mapping[str, str]) -> str:
    """Return a feature's code: `code`, else its id or that of its properties, else made from its Latin name.

    Raises:
        Invalid: the code cannot be one, or there is nothing to make one from.
    """
    written = properties.get("code")
    if written is not None and written != "":
        text = _text(written)
        if not is_code(text):
            raise Invalid(
                "properties/code",
                f"{written!r} is not a code: 1 to 64 of A-Z, a-z, 0-9 and _.:-, and not {AUTO};"
                f" for example {slug(text) or slug(title.get('en', '')) or 'd-1'}",
            )
        return text
    for found in (identifier, *(properties.get(name) for name in IDS)):
        text = re.sub(r"[^A-Za-z0-9_.:-]+", "-", _text(found)).strip("-")
        if is_code(text):
            return text
    for language in ("en", "fr"):
        if made := slug(title.get(language, "")):
            return made
    raise Invalid(
        "properties/code", "it has no code, and no Latin name to make one from: add the property code"
    )


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def slug(name: str) -> str:
    """Return a name as a code: "Bab al-Ramel" is bab-al-ramel; empty where it has no Latin letters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", plain))[:64].strip("-")
