"""Whether a municipality publishes what its devices say, and under which licence."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import UsesConnection, UsesContext
from api.http.times import Instant
from api.routes.municipalities import Town
from devices.publishing import published
from devices.publishing.licences import LICENCES
from devices.registry import registry

router = APIRouter(tags=["municipalities"])


class OpenDataOut(BaseModel):
    """How a municipality publishes. kinds: of what; the others' measurements are never public."""

    licence: str | None = Field(examples=["CC-BY-4.0"], description="null: nothing is public")
    published_at: Instant | None = None
    licences: list[str] = Field(examples=[["CC0-1.0", "CC-BY-4.0"]], description="which ones there are")
    measurements: dict[str, list[str]] = Field(
        examples=[{"bin": ["fill_pct"]}], description="what is published, by kind"
    )


class OpenDataIn(BaseModel):
    """The licence under which a municipality publishes."""

    model_config = ConfigDict(extra="forbid")

    licence: str = Field(max_length=40, examples=["CC-BY-4.0"])


@router.get("/municipalities/{municipality}/open-data", summary="Whether a municipality publishes its data")
async def get_open_data(municipality: Town, context: UsesContext, connection: UsesConnection) -> OpenDataOut:
    """Return the licence, and what is published under it."""
    await registry.get_municipality(connection, municipality)
    return await _out(context, connection, municipality)


@router.put("/municipalities/{municipality}/open-data", summary="Publish the data of a municipality")
async def publish(
    municipality: Town, context: UsesContext, connection: UsesConnection, actor: UsesActor, body: OpenDataIn
) -> OpenDataOut:
    """Publish what its devices say now, to everybody, at /open-data; or change the licence."""
    await published.publish(connection, municipality, body.licence, context.now, by=actor)
    return await _out(context, connection, municipality)


@router.delete(
    "/municipalities/{municipality}/open-data",
    status_code=204,
    summary="Publish nothing any more",
)
async def withdraw(
    municipality: Town, context: UsesContext, connection: UsesConnection, actor: UsesActor
) -> Response:
    """Publish nothing any more. What others have copied stays theirs."""
    await published.publish(connection, municipality, None, context.now, by=actor)
    return Response(status_code=204)


async def _out(context: UsesContext, connection: UsesConnection, municipality: str) -> OpenDataOut:
    found = await published.get_published(connection, municipality)
    return OpenDataOut(
        licence=found.licence if found else None,
        published_at=found.published_at if found else None,
        licences=list(LICENCES),
        measurements={kind.name: list(kind.public) for kind in context.kinds.values() if kind.public},
    )
