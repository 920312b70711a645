"""The page that a stranger gets, in every language at once: the form, why it is shown again, and the way on.

Must not know how somebody is recognised.
"""

from __future__ import annotations

import html

from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES

REFUSED = "page.token_refused"
NO_PROVIDER = '<p class="provider" hidden><a href="/signin/oidc"></a></p>'


class SignInPage:
    """The form; with the name of a provider, where people may sign in there."""

    def __init__(self, form: bytes, signed_in: bytes, provider: str | None = None) -> None:
        page = form.decode()
        if provider is not None:
            page = page.replace(NO_PROVIDER, _button(provider))
        self._page = page
        self.form = page.encode()
        self.signed_in = signed_in
        """Sends the browser on to the console: after a redirect from another site a Location header would not
        do, as the browser shows a strict cookie only where our own pages lead."""

    def refused(self, why: str = REFUSED) -> bytes:
        """Return the form with the reason above it: a key of the catalogue."""
        page = self._page.replace(
            '<div class="wrong" role="alert" hidden>', '<div class="wrong" role="alert">'
        )
        for language in LANGUAGES:
            page = page.replace(html.escape(text(language, REFUSED)), html.escape(text(language, why)))
        return page.encode()


def _button(provider: str) -> str:
    said = {one: text(one, "page.sign_in_provider", provider=provider) for one in LANGUAGES}
    labels = [f'<bdi lang="{one}">{html.escape(label)}</bdi>' for one, label in said.items()]
    return f'<p class="provider"><a href="/signin/oidc">{" · ".join(labels)}</a></p>'
