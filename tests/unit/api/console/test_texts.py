"""What the console is told to say."""

from __future__ import annotations

import httpx2
import pytest
from fastapi import FastAPI

from api.pages import assets, texts
from api.routes.access.signin import KEPT
from devices.texts.catalogue import group, text
from devices.texts.languages import LANGUAGES, Language


@pytest.fixture
def client() -> httpx2.AsyncClient:
    """The texts alone, without a database."""
    app = FastAPI()
    app.include_router(texts.router())
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("wanted", "language", "direction", "locale"),
    [("fr-CA, en", "fr", "ltr", "fr"), ("ar-LB", "ar", "rtl", "ar-LB"), ("de", "en", "ltr", "en-GB")],
)
async def test_texts_come_in_the_language_that_suits_best(
    client: httpx2.AsyncClient, wanted: str, language: Language, direction: str, locale: str
) -> None:
    answer = await client.get("/console/texts/queue.json", headers={"Accept-Language": wanted})

    body = answer.json()
    assert (body["language"], body["direction"], body["locale"]) == (language, direction, locale)
    assert [one["code"] for one in body["languages"]] == list(LANGUAGES)
    groups = ("word", "console", "console_queue")
    assert body["texts"] == {key: said for name in groups for key, said in group(language, name).items()}
    assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")


async def test_texts_that_the_reader_has_are_not_sent_again(client: httpx2.AsyncClient) -> None:
    async def ask(language: str, tag: str = "") -> httpx2.Response:
        headers = {"Accept-Language": language, "If-None-Match": tag}
        return await client.get("/console/texts/queue.json", headers=headers)

    first = await ask("ar")
    tag = first.headers["etag"]

    assert (await ask("ar", tag)).status_code == 304
    assert (await ask("fr", tag)).json()["language"] == "fr"
    assert first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("name", ["press.html", "signin.html"])
def test_browser_says_where_the_form_comes_from_by_plain_http_too(name: str) -> None:
    # Under `no-referrer`, which every answer has, it says `Origin: null`, and the form is refused.
    assert b'<meta name="referrer" content="same-origin">' in assets.load()[name].body


def test_page_with_the_button_speaks_every_language_at_once_and_has_a_place_for_the_link() -> None:
    page = assets.load()["press.html"].body

    for language in LANGUAGES:
        assert text(language, "page.press_how").encode() in page
    assert page.count(KEPT) == 1
    assert b"<script" not in page


def test_sign_in_page_speaks_every_language_at_once() -> None:
    page = assets.load()["signin.html"].body.decode()

    for language in LANGUAGES:
        for key in ("page.token_refused", "page.sign_in_how", "page.token", "page.sign_in"):
            assert text(language, key) in page
    assert "{{" not in page
