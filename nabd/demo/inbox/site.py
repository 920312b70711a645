"""The inbox over HTTP: its page, the buttons on it, and the services that channels hand messages over to.

Serves loopback alone, by names of loopback, so that no other site's page can read it or press its buttons.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from urllib.parse import parse_qs, urlencode
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from devices.texts.languages import DEFAULT, LANGUAGES, Language
from nabd.demo.inbox.answering import InboxPhone
from nabd.demo.inbox.messages import Inbox, InboxMessage
from nabd.demo.inbox.page import InboxPage
from nabd.demo.inbox.services import InboxServices
from notify.message import ReaderAnswer

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MAIL_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
    ),
}
"""Of a mail's HTML: it may look as it likes and do nothing."""
LONGEST_REPLY = 1_600

Answer = Callable[[InboxMessage, Mapping[str, str]], Awaitable[None]]


class InboxSite:
    """The application; `phone` answers what is pressed."""

    def __init__(
        self, inbox: Inbox, phone: InboxPhone, *, town: Mapping[str, str], time_zone: ZoneInfo
    ) -> None:
        """town: its title by language."""
        self._inbox, self._phone = inbox, phone
        self._town, self._zone = town, time_zone
        self.app = Starlette(
            routes=[
                Route("/", self._page),
                Route("/style.css", _style),
                Route("/script.js", _script),
                Route("/messages/{number:int}", self._mail),
                Route("/messages/{number:int}/answer", self._answer, methods=["POST"]),
                Route("/messages/{number:int}/reply", self._reply, methods=["POST"]),
                *InboxServices(inbox).routes,
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )

    async def _page(self, request: Request) -> Response:
        asked = self._asked(request)
        messages = self._inbox.newest_first(asked.reader)
        return HTMLResponse(asked.render(messages, self._inbox.readers), headers=HEADERS)

    def _asked(self, request: Request) -> InboxPage:
        language = _language(request)
        known = {reader.name for reader in self._inbox.readers}
        wanted = request.query_params.get("to")
        return InboxPage(
            language=language,
            title=self._town.get(language) or self._town[DEFAULT],
            zone=self._zone,
            reader=wanted if wanted in known else None,
        )

    async def _mail(self, request: Request) -> Response:
        found = self._inbox.find(request.path_params["number"])
        if found is None or found.html is None:
            return PlainTextResponse("there is no such message any more", status_code=404, headers=HEADERS)
        return HTMLResponse(found.html, headers=MAIL_HEADERS)

    async def _answer(self, request: Request) -> Response:
        async def press(message: InboxMessage, form: Mapping[str, str]) -> None:
            if form.get("answer") in set(ReaderAnswer):
                await self._phone.press(message, ReaderAnswer(form["answer"]))

        return await self._acted(request, press)

    async def _reply(self, request: Request) -> Response:
        async def reply(message: InboxMessage, form: Mapping[str, str]) -> None:
            if said := form.get("text", "").strip()[:LONGEST_REPLY]:
                await self._phone.reply(message, said)

        return await self._acted(request, reply)

    async def _acted(self, request: Request, act: Answer) -> Response:
        if request.headers.get("origin") != f"http://{request.headers['host']}":
            return PlainTextResponse("only this page's own buttons work", status_code=403, headers=HEADERS)
        number = request.path_params["number"]
        if found := self._inbox.find(number):
            form = parse_qs((await request.body()).decode("utf-8", "replace"))
            await act(found, {name: values[0] for name, values in form.items()})
        asked = self._asked(request)
        query = urlencode({"lang": asked.language} | ({"to": asked.reader} if asked.reader else {}))
        return RedirectResponse(f"/?{query}#m{number}", status_code=303, headers=HEADERS)


def _language(request: Request) -> Language:
    """Return the language that is asked for, or else the first one that the browser knows."""
    accepted = request.headers.get("accept-language", "").lower().split(",")
    wanted = [request.query_params.get("lang", ""), *(part.strip()[:2] for part in accepted)]
    known = [language for said in wanted for language in LANGUAGES if said == language]
    return known[0] if known else DEFAULT


async def _style(_: Request) -> Response:
    return Response(_file("style.css"), media_type="text/css", headers=HEADERS)


async def _script(_: Request) -> Response:
    return Response(_file("script.js"), media_type="text/javascript", headers=HEADERS)


def _file(name: str) -> bytes:
    return files("nabd.demo.inbox").joinpath(name).read_bytes()
