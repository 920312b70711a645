"""The state of the platform for its administrator: versions, and every check with what to do about it."""

from __future__ import annotations

import asyncio
import platform
import time
from importlib.metadata import version
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import UsesConnection, UsesContext
from api.http.problems import Problem

router = APIRouter(tags=["health"])

EXAMINED_WITHIN_S = 30.0
_POSTGRES = "SHOW server_version"


class SystemCheckOut(BaseModel):
    """What one check found; only `bad` needs somebody now."""

    subject: str = Field(examples=["disk"])
    verdict: Literal["fine", "note", "bad"]
    said: str = Field(examples=["42 GB free"])
    fix: str = Field(description="what to do; empty: nothing")


class VersionsOut(BaseModel):
    """What runs here."""

    nabd: str
    python: str
    postgres: str
    speed: float = Field(description="how many times faster than real time the clock runs")


class SystemOut(BaseModel):
    """Versions, and checks as `nabd doctor` makes them."""

    versions: VersionsOut
    checks: list[SystemCheckOut] = Field(description="empty where this process was given none")
    took_s: float


@router.get("/system", summary="How the platform does, and what to do")
async def get_system(
    context: UsesContext,
    connection: UsesConnection,
    checks: Annotated[bool, Query(description="false: the versions alone")] = True,
) -> SystemOut:
    """Look for trouble: kinds, disk, broker, database, ingest, ledger, rules. Takes some seconds."""
    began = time.monotonic()
    postgres = await connection.fetchval(_POSTGRES)
    try:
        async with asyncio.timeout(EXAMINED_WITHIN_S):
            found = await context.examine() if checks else []
    except TimeoutError:
        detail = f"the checks did not end within {EXAMINED_WITHIN_S:.0f} s"
        raise Problem(503, "unavailable", detail, headers={"Retry-After": "30"}) from None
    return SystemOut(
        versions=VersionsOut(
            nabd=version("nabd"), python=platform.python_version(), postgres=postgres, speed=context.speed
        ),
        checks=[SystemCheckOut.model_validate(one, from_attributes=True) for one in found],
        took_s=round(time.monotonic() - began, 3),
    )
