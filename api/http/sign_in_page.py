"""The page that a stranger gets, in every language at once: the form, why it is shown again, and the way on.

Must not know how somebody is recognised.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote

from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES

REFUSED = "page.token_refused"
TO = '<input type="hidden" name="to" value="/">'
ROOM = r"(?:alerts|devices|work|reports|admin|account|guide)(?:/[^\s/?#\\]{1,200}){0,2}"
PAGE = re.compile(rf"/(?:{ROOM})?(?:\?[^\s#\\]{{0,2000}})?")
NO_PROVIDER = '<p class="provider" hidden><a href="/signin/oidc"></a></p>'


class SignInPage:
    """The form; with the name of a provider, where people may sign in there."""

    def __init__(self, form: bytes, signed_in: bytes, provider: str | None = None) -> None:
        page = form.decode()
        if provider is not None:
            page = page.replace(NO_PROVIDER, _button(provider))
        self._page = page
        self._signed_in = signed_in.decode()

    def form(self, to: str) -> bytes:
        """Return the form, which leads on to a page of ours."""
        return self._leading(to).encode()

    def signed_in(self, to: str) -> bytes:
        """Return what sends the browser on to a page of ours.

        After a redirect from another site a Location header would not do: the browser shows a strict cookie
        only where our own pages lead.
        """
        there = html.escape(page_or_console(to))
        return (
            self._signed_in.replace("url=/", f"url={there}").replace('href="/"', f'href="{there}"').encode()
        )

    def _leading(self, to: str) -> str:
        there = page_or_console(to)
        page = self._page.replace(TO, TO.replace('"/"', f'"{html.escape(there)}"'))
        return page.replace('"/signin/oidc"', f'"/signin/oidc?to={quote(there, safe="")}"')

    def refused(self, to: str, why: str = REFUSED) -> bytes:
        """Return the form with the reason above it: a key of the catalogue."""
        page = self._leading(to).replace(
            '<div class="wrong" role="alert" hidden>', '<div class="wrong" role="alert">'
        )
        for language in LANGUAGES:
            page = page.replace(html.escape(text(language, REFUSED)), html.escape(text(language, why)))
        return page.encode()


def page_or_console(text: str) -> str:
    """Return the address of a page of the console, "/" where the text is none: nobody is led elsewhere."""
    return text if PAGE.fullmatch(text) else "/"


def _button(provider: str) -> str:
    said = {one: text(one, "page.sign_in_provider", provider=provider) for one in LANGUAGES}
    labels = [f'<bdi lang="{one}">{html.escape(label)}</bdi>' for one, label in said.items()]
    return f'<p class="provider"><a href="/signin/oidc">{" · ".join(labels)}</a></p>'
