"""The guides: every reader's in every language, of the same parts, with pictures that are there."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

import api
from api.pages.assets import load
from api.pages.guides import GUIDES, router
from devices.texts.languages import LANGUAGES

FOLDER = Path(api.__file__).parent / "console/guide"
MOST_BYTES = 150_000
LINK = re.compile(r"\]\(([^)]+)\)")


def of(guide: str, language: str) -> str:
    """Return a guide as it was written."""
    return (FOLDER / f"{guide}.{language}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("guide", GUIDES)
def test_guide_has_the_same_parts_in_every_language(guide: str) -> None:
    said = [
        [line.partition(" ")[0] for line in of(guide, language).splitlines() if line.startswith("#")]
        for language in LANGUAGES
    ]

    assert said[0] == said[1] == said[2]
    assert len(said[0]) > 3


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_guide_leads_to_is_there(guide: str, language: str) -> None:
    files, pages = load(), ("/alerts", "/devices", "/work", "/reports", "/admin", "/account", "/guide")
    for address in LINK.findall(of(guide, language)):
        beside = f"guide/{address}" if address.startswith("pictures/") else address
        found = beside.removeprefix("/console/") in files
        assert found or address == "/" or address.startswith(pages), address


async def test_guide_comes_as_a_page_in_the_readers_language() -> None:
    app = FastAPI()
    app.include_router(router())
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1")

    for guide in GUIDES:
        answer = await client.get(f"/console/guide/{guide}.html", headers={"Accept-Language": "ar-LB"})

        assert answer.headers["content-language"] == "ar"
        assert answer.text.startswith("<h1>")
        assert "<script" not in answer.text
        assert 'src="/console/guide/pictures/' in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_pictures_of_a_guide_are_in_its_language_and_small(language: str) -> None:
    named = [
        address for guide in GUIDES for address in LINK.findall(of(guide, language)) if ".webp" in address
    ]
    assert len(named) >= len(GUIDES)
    assert all(address.endswith(f".{language}.webp") for address in named)
    assert all((FOLDER / address).stat().st_size < MOST_BYTES for address in named)
