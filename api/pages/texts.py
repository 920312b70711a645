"""The texts of the console: one document a page in the reader's language, with the languages there are.

`Accept-Language` chooses, as for problems, so the page knows no languages of its own and asks once. Must not
know where on the page a text stands.
"""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from api.pages.assets import MEDIA_TYPES, PAGES, Asset, asset, by_language
from devices.texts.catalogue import Forms, group
from devices.texts.languages import LANGUAGES, LOCALES, Language, direction_of, name_of
from devices.texts.units import symbols

SHARED = ("word", "console")
"""Groups of the catalogue that every page knows, without the group's name."""
GROUPS = (*SHARED, *(f"console_{room}" for room in PAGES))
"""Each page knows the shared ones and its own."""


def router() -> APIRouter:
    """Return the route of the texts; they are encoded once, here."""
    routes = APIRouter(include_in_schema=False)
    for room in PAGES:
        serve = by_language({language: _document(language, room) for language in LANGUAGES})
        url = f"/console/texts/{room}.json"
        routes.add_api_route(url, serve, methods=["GET"], response_class=Response)
    return routes


def _document(language: Language, room: str) -> Asset:
    texts: dict[str, str | Forms] = {}
    for name in (*SHARED, f"console_{room}"):
        texts |= group(language, name)
    body = {
        "language": language,
        "direction": direction_of(language),
        "locale": LOCALES[language],
        "languages": [{"code": one, "name": name_of(one)} for one in LANGUAGES],
        "texts": texts,
        "units": symbols(language),
    }
    return asset(msgspec.json.encode(body), MEDIA_TYPES["json"])
