"""The texts of the console: one document in the reader's language, with the languages there are.

`Accept-Language` chooses, as for problems, so the page knows no languages of its own and asks once. Must not
know where on the page a text stands.
"""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Request, Response

from api.http.assets import MEDIA_TYPES, Asset, answer, asset
from api.http.languages import negotiate
from devices.texts.catalogue import Forms, group
from devices.texts.languages import LANGUAGES, LOCALES, Language, direction_of, name_of
from devices.texts.units import SYMBOLS

GROUPS = ("word", "console")
"""Of the catalogue. The page knows their texts without the group."""


def router() -> APIRouter:
    """Return the route of the texts; they are encoded once, here."""
    documents = {language: _document(language) for language in LANGUAGES}
    routes = APIRouter(include_in_schema=False)

    @routes.get("/console/texts.json", response_class=Response)
    async def texts(request: Request) -> Response:
        language = negotiate(request.headers.get("accept-language"))
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return answer(request, documents[language], headers)

    return routes


def _document(language: Language) -> Asset:
    texts: dict[str, str | Forms] = {}
    for name in GROUPS:
        texts |= group(language, name)
    body = {
        "language": language,
        "direction": direction_of(language),
        "locale": LOCALES[language],
        "languages": [{"code": one, "name": name_of(one)} for one in LANGUAGES],
        "texts": texts,
        "units": SYMBOLS,
    }
    return asset(msgspec.json.encode(body), MEDIA_TYPES["json"])
