"""The state of the platform for its administrator: versions, and every check with what to do about it."""

from __future__ import annotations

import asyncio
import platform
import time
from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from store.failures import DATABASE_ERRORS

router = APIRouter(tags=["health"])

EXAMINED_WITHIN_S = 30.0
_POSTGRES = "SHOW server_version"


class SystemCheckOut(BaseModel):
    """What one check found; only `bad` needs somebody now."""

    code: str = Field(examples=["N102"], description="its number, which stays: docs/doctor.md")
    subject: str = Field(examples=["disk"])
    verdict: Literal["fine", "note", "bad"]
    said: str = Field(examples=["42 GB free"])
    fix: str = Field(description="what to do; empty: nothing")


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
    checks: Annotated[bool, Query(description="false: the versions alone")] = True,
) -> SystemOut:
    """Look for trouble: kinds, disk, broker, database, ingest, ledger, rules. Takes some seconds.

    Answers without a database, too: that is when it is needed.
    """
    began = time.monotonic()
    postgres = await _postgres(context)
    found = await _examined(context) if checks else []
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


async def _examined(context: AppContext) -> list[SystemCheckOut]:
    try:
        async with asyncio.timeout(EXAMINED_WITHIN_S):
            found = await context.examine()
    except TimeoutError:
        said = f"did not end within {EXAMINED_WITHIN_S:.0f} s"
        fix = "run `nabd doctor` on the machine: something that it asks does not answer"
        return [SystemCheckOut(code="N000", subject="checks", verdict="bad", said=said, fix=fix)]
    return [SystemCheckOut.model_validate(one, from_attributes=True) for one in found]
