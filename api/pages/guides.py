"""The guides of the console: Markdown beside its pages, one file a reader and language, sent as HTML.

Must not know what they say.
"""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter, Response
from markdown_it import MarkdownIt

from api.pages.assets import MEDIA_TYPES, Asset, asset, by_language
from devices.texts.languages import LANGUAGES, Language

PICTURES = "/console/guide/pictures/"
"""Where pages find the pictures, which the texts name as their neighbours."""
GUIDES = ("operator", "technician", "supervisor", "administrator")


def router() -> APIRouter:
    """Return a route for each guide; they are made once, here."""
    routes = APIRouter(include_in_schema=False)
    for guide in GUIDES:
        serve = by_language({language: _document(guide, language) for language in LANGUAGES})
        url = f"/console/guide/{guide}.html"
        routes.add_api_route(url, serve, methods=["GET"], response_class=Response)
    return routes


def _document(guide: str, language: Language) -> Asset:
    file = resources.files("api") / "console/guide" / f"{guide}.{language}.md"
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(file.read_text(encoding="utf-8"))
    return asset(page.replace('src="pictures/', f'src="{PICTURES}').encode(), MEDIA_TYPES["html"])
