"""The state of the platform for its administrator: versions, and every check with what to do about it."""

from __future__ import annotations

import asyncio
import platform
import time
from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http.languages import negotiate
from devices.texts.catalogue import text
from devices.texts.languages import Language
from devices.texts.translated import say
from store.failures import DATABASE_ERRORS

router = APIRouter(tags=["health"])

EXAMINED_WITHIN_S = 30.0
_POSTGRES = "SHOW server_version"


class SystemCheckOut(BaseModel):
    """What one check found; only `bad` needs somebody now."""

    code: str = Field(examples=["N102"], description="its number, which stays: docs/doctor.md")
    subject: str = Field(examples=["disk"])
    verdict: Literal["fine", "note", "bad"]
    title: str = Field(examples=["Disk space"], description="the subject in the reader's language")
    said: str = Field(examples=["42 GB free"], description="what was found, in the reader's language")
    fix: str = Field(description="what to do, in the reader's language; empty: nothing")


class VersionsOut(BaseModel):
    """What runs here."""

    nabd: str
    python: str
    postgres: str | None = Field(description="null while the database does not answer")
    speed: float = Field(description="how many times faster than real time the clock runs")


class SystemOut(BaseModel):
    """Versions, and checks as `nabd doctor` makes them."""

    versions: VersionsOut
    checks: list[SystemCheckOut] = Field(description="empty where this process was given none")
    took_s: float


@router.get("/system", summary="How the platform does, and what to do")
async def get_system(
    context: UsesContext,
    request: Request,
    response: Response,
    checks: Annotated[bool, Query(description="false: the versions alone")] = True,
) -> SystemOut:
    """Look for trouble: kinds, disk, broker, database, ingest, ledger, rules. Takes some seconds.

    Answers without a database, too: that is when it is needed.
    """
    began = time.monotonic()
    postgres = await _postgres(context)
    language = negotiate(request.headers.get("accept-language"))
    response.headers.update({"Content-Language": language, "Vary": "Accept-Language"})
    found = await _examined(context, language) if checks else []
    return SystemOut(
        versions=VersionsOut(
            nabd=version("nabd"), python=platform.python_version(), postgres=postgres, speed=context.speed
        ),
        checks=found,
        took_s=round(time.monotonic() - began, 3),
    )


async def _postgres(context: AppContext) -> str | None:
    try:
        # Given back before the checks begin: those take seconds, and connect by themselves.
        async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
            return str(await connection.fetchval(_POSTGRES, timeout=POOL_TIMEOUT_S))
    except DATABASE_ERRORS:
        return None  # the check of the database says why


async def _examined(context: AppContext, language: Language) -> list[SystemCheckOut]:
    try:
        async with asyncio.timeout(EXAMINED_WITHIN_S):
            found = await context.examine(language)
    except TimeoutError:
        return [
            SystemCheckOut(
                code="N000",
                subject="checks",
                title=text(language, "check.title_checks"),
                verdict="bad",
                said=say("check.checks_late", n=round(EXAMINED_WITHIN_S)).in_language(language),
                fix=say("check.run_on_machine").in_language(language),
            )
        ]
    return [SystemCheckOut.model_validate(one, from_attributes=True) for one in found]
