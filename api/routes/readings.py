"""The readings of one device: raw or by bucket, as JSON or a file, streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http import buckets, exports, files, formats
from api.http.buckets import Bucket
from api.http.exports import FILE
from api.http.formats import MEDIA_TYPES, TABLES, Format, begun
from api.http.problems import Problem
from api.http.times import Asked
from api.schemas.readings import ReadingsOut, bucket_row, columns_of, flat_row, raw_row
from devices.instants import MICROSECOND, rfc3339, to_datetime
from devices.kinds.kind import Kind, ValueType
from devices.registry import registry
from devices.time_zones import TIME_ZONES
from readings import history
from readings.buckets.largest_triangles import FEWEST
from readings.rollups.buckets import buckets as calendar_buckets
from readings.stored.drawn import drawn_readings

router = APIRouter(tags=["readings"])

DAY = timedelta(days=1)
TableFormat = Literal[Format.JSON, Format.NDJSON, Format.CSV, Format.PARQUET]
ROWS_AT_A_TIME = 2000


@dataclass(frozen=True, kw_only=True)
class ReadingQuery:
    """What was asked for, complete and checked."""

    context: AppContext
    device: registry.Device
    kind: Kind
    measurements: Sequence[str]
    start: datetime
    end: datetime
    bucket: Bucket
    tz: str
    points: int | None = None

    @cached_property
    def head(self) -> dict[str, Any]:
        """The members of the answer before the readings."""
        return {
            "device": self.device.name,
            "kind": self.kind.name,
            "start": rfc3339(self.start),
            "end": rfc3339(self.end),
            "bucket": self.bucket,
            "tz": self.tz,
            "units": {name: self.kind.measurement(name).unit for name in self.measurements},
        }


@router.get(
    "/devices/{device}/readings",
    response_model=ReadingsOut,
    responses=FILE,
    summary="Readings of one device",
)
async def read_readings(
    request: Request,
    context: UsesContext,
    device: str,
    measurements: Annotated[
        str | None, Query(max_length=2000, description="names, separated by commas; all without it")
    ] = None,
    start: Annotated[Asked | None, Query(description="first instant; a day before `end` without it")] = None,
    end: Annotated[Asked | None, Query(description="first instant left out; now without it")] = None,
    bucket: Bucket = Bucket.RAW,
    width: Annotated[
        int, Query(ge=10, le=5000, description="points useful, for auto")
    ] = buckets.DEFAULT_WIDTH,
    points: Annotated[
        int | None,
        Query(ge=FEWEST, le=5000, description="of raw: what draws each line with so many points"),
    ] = None,
    tz: Annotated[str | None, Query(max_length=64, description="IANA name; the municipality's")] = None,
    format: Annotated[TableFormat | None, Query(description="wins over Accept")] = None,  # noqa: A002
    bom: Annotated[bool, Query(description="CSV with a byte order mark, for Excel")] = False,
) -> StreamingResponse:
    """Return readings observed in [start, end), oldest first.

    Buckets keep min, max, avg, count and last, and leave suspect values out; raw readings name them.
    """
    # No connection is held while the answer is read: a slow reader must not keep one from others.
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await registry.get_device(connection, device)
        town = await registry.get_municipality(connection, found.municipality)
    kind = _kind_of(context, found)
    until = end or to_datetime(context.now())
    since = start or until - DAY
    if points is not None and bucket is not Bucket.RAW:
        raise Problem(422, "invalid", "points: of bucket=raw; width= says how many buckets are useful")
    selection = ReadingQuery(
        context=context,
        device=found,
        kind=kind,
        measurements=_chosen(kind, measurements) if points is None else _drawn(kind, measurements),
        points=points,
        start=since,
        end=until,
        bucket=_bucket_of(kind, bucket, until - since, width),
        tz=_known_zone(tz or town.time_zone),
    )
    form = format or formats.negotiate(request.headers.get("accept"), among=TABLES)
    return await _respond(selection, form, bom=bom)


def _kind_of(context: AppContext, device: registry.Device) -> Kind:
    kind = context.kinds.get(device.kind)
    if kind is None:
        raise Problem(404, "not-found", f"{device.name} is a {device.kind}, which has no readings of its own")
    return kind


def _chosen(kind: Kind, measurements: str | None) -> list[str]:
    declared = [m.name for m in kind.measurements]
    if measurements is None:
        return declared
    wanted = list(dict.fromkeys(name.strip() for name in measurements.split(",") if name.strip()))
    for name in wanted:
        if name not in declared:
            raise Problem(422, "invalid", f"measurements: {name!r} is none of {', '.join(declared)}")
    return wanted or declared


def _drawn(kind: Kind, measurements: str | None) -> list[str]:
    """Return what can be drawn as a line: what is asked for, or all that can."""
    lines = [m.name for m in kind.measurements if m.type is not ValueType.TEXT]
    if not lines:
        raise Problem(422, "invalid", f"points: a {kind.name} measures only texts, which no line shows")
    if measurements is None:
        return lines
    wanted = _chosen(kind, measurements)
    for name in wanted:
        if name not in lines:
            raise Problem(422, "invalid", f"points: {name} is a text, which no line shows; leave it out")
    return wanted


def _bucket_of(kind: Kind, asked: Bucket, span: timedelta, width: int) -> Bucket:
    if span <= timedelta(0):
        raise Problem(422, "invalid", "end: must be after start")
    every = timedelta(seconds=min(r.every_s for r in kind.reporting))
    bucket = buckets.choose(span, width=width, every=every) if asked is Bucket.AUTO else asked
    if span > buckets.LIMITS[bucket]:
        most = buckets.LIMITS[bucket].days
        raise Problem(422, "range-too-wide", f"bucket {bucket} is answered for at most {most} days")
    return bucket


def _known_zone(name: str) -> str:
    if name not in TIME_ZONES:
        raise Problem(422, "invalid", f"tz: {name!r} is no IANA time zone")
    return name


async def _respond(selection: ReadingQuery, form: Format, *, bom: bool) -> StreamingResponse:
    pages = _raw_pages(selection) if selection.bucket is Bucket.RAW else _bucket_pages(selection)
    rows = await begun(pages)
    name = f"{selection.device.name.replace(':', '_')}-{selection.bucket}"
    if form is Format.JSON:
        body = formats.as_json(selection.head, "readings", rows)
        return StreamingResponse(body, media_type=MEDIA_TYPES[form], headers={"Vary": "Accept"})
    columns = columns_of(
        selection.kind, selection.measurements, selection.bucket, whole=form is Format.PARQUET
    )
    body = files.body_of(form, columns, rows, flat=flat_row, bom=bom)
    return exports.response_of(form, body, name=name, saved=form is not Format.NDJSON)


async def _raw_pages(selection: ReadingQuery) -> AsyncIterator[list[dict[str, Any]]]:
    if selection.points is not None:
        drawn = await drawn_readings(
            selection.context.past_query,
            selection.kind,
            selection.device.id,
            measurements=selection.measurements,
            start=selection.start,
            end=selection.end,
            points=selection.points,
        )
        yield [raw_row(reading) for reading in drawn]
        return
    # A connection per page, not per answer: a slow client must not hold one.
    start: datetime | None = selection.start
    while start is not None:
        async with selection.context.past_query() as connection:
            page = await history.readings(
                connection,
                selection.kind,
                selection.device.id,
                measurements=selection.measurements,
                start=start,
                end=selection.end,
                limit=ROWS_AT_A_TIME,
            )
        yield [raw_row(reading) for reading in page]
        start = page[-1].observed_at + MICROSECOND if len(page) == ROWS_AT_A_TIME else None


async def _bucket_pages(selection: ReadingQuery) -> AsyncIterator[list[dict[str, Any]]]:
    async with selection.context.past_query() as connection:
        rows = await calendar_buckets(
            connection,
            selection.kind,
            selection.device.id,
            measurements=selection.measurements,
            start=selection.start,
            end=selection.end,
            unit=buckets.unit(selection.bucket),
            time_zone=selection.tz,
        )
    for i in range(0, len(rows), ROWS_AT_A_TIME):
        yield [bucket_row(row) for row in rows[i : i + ROWS_AT_A_TIME]]
