"""Is the process alive, is the platform ready, and what has it counted."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Response
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from api.context import AppContext, Check, UsesContext
from api.metrics import platform
from api.metrics.platform import Ages, Figures
from devices.registry import registry
from store.failures import DATABASE_ERRORS

router = APIRouter(tags=["health"])

CHECK_TIMEOUT_S = 3.0


class Readiness(BaseModel):
    """`parts` maps each part of the platform to "ok", or to what is wrong with it."""

    ready: bool
    parts: dict[str, str] = Field(examples=[{"database": "ok", "broker": "connection refused"}])


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> dict[str, str]:
    """Answer as long as the process can answer at all; needs no token."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "a part is missing"}},
    summary="Is every part ready?",
)
async def readyz(context: UsesContext) -> Response:
    """Say which part of the platform is not ready."""
    checks: dict[str, Check] = {"database": lambda: _database(context), **context.checks}
    reasons = await asyncio.gather(*(_judge(check) for check in checks.values()))
    ready = all(reason is None for reason in reasons)
    parts = {name: reason or "ok" for name, reason in zip(checks, reasons, strict=True)}
    body = msgspec.json.encode({"ready": ready, "parts": parts})
    return Response(body, status_code=200 if ready else 503, media_type="application/json")


@router.get("/metrics", summary="Counters as OpenMetrics text", response_class=Response)
async def metrics(context: UsesContext) -> Response:
    """Return the counters of this process, and what broker and database know of the platform."""
    found = await _figures(context)
    ages = Ages(now=context.now(), speed=context.speed)
    text = platform.text(context.metrics.registry, platform.families(found, context.queue(), ages))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _figures(context: AppContext) -> Figures | None:
    """Read the database; None when it does not answer: the other metrics are still returned."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), context.pool.acquire() as connection:
            return await platform.read(connection, context.kinds, context.now())
    except DATABASE_ERRORS:
        return None


async def _judge(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {CHECK_TIMEOUT_S:.0f} s"
    except DATABASE_ERRORS as error:
        return str(error) or type(error).__name__


async def _database(context: AppContext) -> str | None:
    async with context.pool.acquire(timeout=CHECK_TIMEOUT_S) as connection:
        await registry.list_municipalities(connection)
    return None
