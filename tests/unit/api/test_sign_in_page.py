"""Where signing in leads: to a page of the console, nowhere else."""

from __future__ import annotations

import pytest

from api.http.sign_in_page import SignInPage, page_or_console
from api.pages import assets

PAGES = ["/", "/?severity=major&q=a%20b", "/alerts/17", "/devices/bin%3A1?hours=6", "/admin/people/rima"]
ELSEWHERE = [
    "",
    "//evil.example",
    "/\\evil.example",
    "https://evil.example/",
    "/devices//evil.example",
    "/alerts/17#x",
    "/api/v1/session",
    "/signin?link=x",
    "/alerts/\r\nX: y",
    "/?q=\r\nX: y",
]


@pytest.fixture
def page() -> SignInPage:
    """The page as it is served."""
    files = assets.load()
    return SignInPage(files["signin.html"].body, files["signedin.html"].body, "the town")


@pytest.mark.parametrize("to", PAGES)
def test_pages_of_the_console_are_gone_on_to(page: SignInPage, to: str) -> None:
    assert page_or_console(to) == to
    form, sent_on = page.form(to).decode(), page.signed_in(to).decode()
    assert form.count(f'name="to" value="{to.replace("&", "&amp;")}"') == 2
    assert f"url={to.replace('&', '&amp;')}" in sent_on


@pytest.mark.parametrize("to", ELSEWHERE)
def test_nobody_is_led_elsewhere(page: SignInPage, to: str) -> None:
    assert page_or_console(to) == "/"
    assert page.form(to) == page.form("/")
    assert page.signed_in(to) == page.signed_in("/")


def test_address_cannot_write_into_the_page(page: SignInPage) -> None:
    form = page.form('/?q="><script>alert(1)</script>').decode()

    assert "<script>" not in form
    assert page.refused("/?q=%22") != page.refused("/")
