"""The page that a message's signed link opens, which acts only by POST.

A link needs no identity: it is the person's own, for what it says, once. What an answer does stands in
notify.answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http import answer_page, guards
from api.http.answer_page import ShownAlert
from api.http.languages import negotiate
from api.http.problems import Problem, Slug
from api.schemas.alerts import NOTHING_BESIDE, alert_out
from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, LANGUAGES, Language, called
from notify.answers import links, offers
from notify.answers.answering import MOST_OF_COMMENT, Answerable, AnswerRefusal, give, look
from notify.message import ReaderAnswer
from store.connection import Connection

router = APIRouter(tags=["alerts"])

PROBLEMS: Mapping[AnswerRefusal, tuple[int, Slug]] = {
    AnswerRefusal.UNKNOWN: (404, "not-found"),
    AnswerRefusal.EXPIRED: (409, "conflict"),
    AnswerRefusal.USED: (409, "conflict"),
    AnswerRefusal.ENDED: (409, "conflict"),
    AnswerRefusal.FORBIDDEN: (403, "forbidden"),
}
PAGES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}, "description": "the page"}}
FORM = {
    "requestBody": {
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["answer"],
                    "properties": {
                        "answer": {"type": "string", "enum": list(ReaderAnswer)},
                        "comment": {"type": "string", "maxLength": MOST_OF_COMMENT},
                    },
                }
            }
        }
    }
}
Token = Annotated[str, Path(min_length=1, max_length=100, description="of the link")]
# Buttons of notification services may post from a page of theirs; the link is the secret, not the origin.
_FROM_ANYWHERE = {"Access-Control-Allow-Origin": "*"}


@router.get("/answer/{token}", response_class=HTMLResponse, responses=PAGES, summary="The page of a link")
async def ask(
    request: Request,
    context: UsesContext,
    token: Token,
    answer: Annotated[str | None, Query(max_length=20, description="the button pressed before")] = None,
) -> Response:
    """Show the alerts of a signed link and two buttons; nothing is done."""
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await _found(request, context, connection, token)
    if found is None or found.refusal is not None:
        return _refused(request, context, found, AnswerRefusal.UNKNOWN)
    chosen = ReaderAnswer(answer) if answer in set(ReaderAnswer) else None
    page = answer_page.asking(
        _language(request, found), _shown(context, found), chosen=chosen, longest=MOST_OF_COMMENT
    )
    return HTMLResponse(page)


@router.post(
    "/answer/{token}",
    response_class=HTMLResponse,
    responses=PAGES,
    openapi_extra=FORM,
    summary="Answer by a link",
)
async def answer_by_link(request: Request, context: UsesContext, token: Token) -> Response:
    """Acknowledge the alerts of a signed link, or say that its person cannot come; once."""
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    said, comment = form.get("answer", [""])[0], _clean(form.get("comment", [""])[0])
    if said not in set(ReaderAnswer):
        raise Problem(422, "invalid", f"answer is one of {', '.join(ReaderAnswer)}")
    answer = ReaderAnswer(said)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await _found(request, context, connection, token)
        if found is None:
            return _refused(request, context, None, AnswerRefusal.UNKNOWN)
        refusal = await give(
            connection,
            found,
            answer,
            comment,
            address=guards.address_of(request.scope),
            now=context.now(),
            real_now=context.real_now(),
        )
    if refusal is not None:
        return _refused(request, context, found, refusal)
    language = _language(request, found)
    done = answer_page.said(language, _shown(context, found), text(language, f"answer.done_{answer}"))
    return HTMLResponse(done, headers=_FROM_ANYWHERE)


async def _found(
    request: Request, context: AppContext, connection: Connection, token: str
) -> Answerable | None:
    """Return what a link is for; None where we did not sign it, which is counted as a wrong guess.

    Raises:
        Problem: too many came from that address.
    """
    key = await offers.signing_key(connection, context.real_now())
    number = links.verify(key, token)
    if number is None:
        address = guards.address_of(request.scope)
        context.identification.refuse_guesser(address)
        context.identification.count_guess(address)
        return None
    offer = await offers.find(connection, number)
    return None if offer is None else await look(connection, offer, context.real_now())


def _refused(
    request: Request, context: AppContext, found: Answerable | None, refusal: AnswerRefusal
) -> Response:
    """Return a page for a browser.

    Raises:
        Problem: for a program, the button of a notification service.
    """
    refusal = (found and found.refusal) or refusal
    status, slug = PROBLEMS[refusal]
    language = _language(request, found)
    why = text(language, f"answer.refused_{refusal}")
    if "text/html" not in request.headers.get("accept", ""):
        raise Problem(status, slug, why, headers=_FROM_ANYWHERE)
    alerts = _shown(context, found) if found and refusal is not AnswerRefusal.FORBIDDEN else []
    page = answer_page.said(language, alerts, why, wrong=True)
    return HTMLResponse(page, status_code=status, headers=_FROM_ANYWHERE)


def _language(request: Request, found: Answerable | None) -> Language:
    """Return the reader's language; the browser's where nobody knows the reader."""
    wanted = found.person.language if found else None
    known = [language for language in LANGUAGES if language == wanted]
    return known[0] if known else negotiate(request.headers.get("accept-language"))


def _shown(context: AppContext, found: Answerable) -> Sequence[ShownAlert]:
    shown = []
    for alert in found.alerts:
        summary = alert_out(alert, context.kinds, NOTHING_BESIDE).summary
        shown.append(
            ShownAlert(
                severity=alert.severity,
                sentence=summary.get(found.person.language) or summary.get(DEFAULT, alert.rule),
                place=called(alert.device_title or alert.device, alert.device_titles, found.person.language),
                ended=alert.state == "resolved",
            )
        )
    return shown


def _clean(comment: str) -> str:
    """Return a comment in one line without control characters, as long as one may be."""
    return " ".join("".join(c if c.isprintable() else " " for c in comment).split())[:MOST_OF_COMMENT]
