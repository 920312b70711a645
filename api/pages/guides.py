"""The guides of the console: Markdown beside its pages, one file a reader and language, sent as HTML.

Must not know what they say.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import resources

from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt

from api.http.languages import negotiate
from api.pages.assets import MEDIA_TYPES, Asset, answer, asset
from devices.texts.languages import LANGUAGES, Language

GUIDES = ("operator", "technician", "supervisor", "administrator")


def router() -> APIRouter:
    """Return a route for each guide; they are made once, here."""
    routes = APIRouter(include_in_schema=False)
    for guide in GUIDES:
        serve = _serve({language: _document(guide, language) for language in LANGUAGES})
        url = f"/console/guide/{guide}.html"
        routes.add_api_route(url, serve, methods=["GET"], response_class=Response)
    return routes


def _serve(documents: Mapping[Language, Asset]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        language = negotiate(request.headers.get("accept-language"))
        headers = {"Content-Language": language, "Vary": "Accept-Language"}
        return answer(request, documents[language], headers)

    return serve


def _document(guide: str, language: Language) -> Asset:
    file = resources.files("api") / "console/guide" / f"{guide}.{language}.md"
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(file.read_text(encoding="utf-8"))
    return asset(page.encode(), MEDIA_TYPES["html"])
