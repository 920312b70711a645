"""Answers by SMS, as a gateway passes them on: a code, from the number that it was sent to.

Numbers can be forged, so the code decides, and whoever tries codes for a number waits. What an answer does
stands in notify.answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from api.context import POOL_TIMEOUT_S, UsesContext
from api.http import guards
from api.http.problems import Problem
from api.schemas.words import AS_RECEIVED
from devices.texts.catalogue import text
from devices.texts.languages import LANGUAGES, Language
from notify.answers import offers, sms_text
from notify.answers.answering import MOST_OF_COMMENT, AnswerRefusal, give, look
from notify.message import ReaderAnswer
from people import throttle
from people.throttle import Throttle

router = APIRouter(tags=["alerts"])


class SmsAnswer(BaseModel):
    """An SMS that somebody sent back."""

    model_config = ConfigDict(extra="ignore")

    sender: str = Field(alias="from", min_length=1, max_length=32, examples=["+96170123456"])
    text: str = Field(min_length=1, max_length=1600, pattern=AS_RECEIVED, examples=["48213"])


class SmsAnswerOut(BaseModel):
    """What was understood, and for which alerts."""

    answer: ReaderAnswer
    alerts: list[int]


@router.post("/answers/sms", summary="Pass an SMS on that answers one of ours")
async def answer_by_sms(request: Request, context: UsesContext, body: SmsAnswer) -> SmsAnswerOut:
    """Acknowledge by the code of an SMS, from the number that it was sent to; `no CODE` says cannot come.

    What else it says is a comment, or why. What is refused is said in `detail`, in the person's language, so
    that a gateway may send it back; numbers that nobody has are answered as wrong codes are.
    """
    number, now_s = sms_text.number_of(body.sender), context.real_now() / 1e6
    key = throttle.of_name(f"sms {number}")
    counts = (context.sms_answers, context.sms_answers_of_day)
    if (wait_s := max(count.wait_s(key, now_s) for count in counts)) > 0:
        retry = {"Retry-After": str(math.ceil(wait_s))}
        raise Problem(429, "too-many-attempts", "too many wrong codes from that number", headers=retry)
    understood = sms_text.understood(body.text)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        offer = understood and await offers.find_by_code(
            connection, understood.code, number, context.real_now()
        )
        found = offer and await look(connection, offer, context.real_now())
        if not understood or not found:
            _count(counts, key, now_s)
            # In every language: whose number it is must not show.
            raise Problem(404, "not-found", " · ".join(text(one, "answer.no_code") for one in LANGUAGES))
        refusal = await give(
            connection,
            found,
            understood.answer,
            understood.comment[:MOST_OF_COMMENT],
            address=guards.address_of(request.scope),
            now=context.now(),
            real_now=context.real_now(),
        )
    if refusal is not None:
        _count(counts, key, now_s)
        status = 403 if refusal is AnswerRefusal.FORBIDDEN else 409
        detail = text(cast(Language, found.person.language), f"answer.refused_{refusal}")
        raise Problem(status, "forbidden" if status == 403 else "conflict", detail)
    return SmsAnswerOut(answer=understood.answer, alerts=[alert.id for alert in found.alerts])


def _count(counts: Iterable[Throttle], key: str, now_s: float) -> None:
    for count in counts:
        count.failed(key, now_s)
