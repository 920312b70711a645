"""Readings and buckets as answers and files show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from api.http import files
from api.http.buckets import Bucket
from api.http.parquet import CellType, FileColumn, file_columns
from api.http.times import Instant
from devices.instants import rfc3339
from devices.kinds.kind import Kind
from readings.buckets.summary import ReadingBucket
from readings.history import Reading

SUMMARY = ("min", "max", "avg", "count", "last")


class SummaryOut(BaseModel):
    """One measurement over one bucket; suspect values are left out.

    Of a circular measurement `avg` is the mean direction, from `min` around to `max` on either side.
    """

    min: float | None
    max: float | None
    avg: float | None
    count: int
    last: float | str | None
    grown: float | None = Field(default=None, description="counters only: by how much, resets included")


class ReadingOut(BaseModel):
    """One reading (raw), or the summary of one bucket."""

    observed_at: Instant | None = Field(default=None, description="raw only")
    received_at: Instant | None = Field(default=None, description="raw only")
    quality: int | None = Field(default=None, description="raw only: bit field, 0 is good")
    suspect: list[str] | None = Field(default=None, description="raw only: measurements not to be believed")
    boot: int | None = Field(default=None, description="raw only, where the device numbers its readings")
    seq: int | None = Field(default=None, description="raw only, as boot")
    extra: dict[str, Any] | None = Field(default=None, description="raw only: what the kind does not declare")
    at: Instant | None = Field(default=None, description="buckets only: where the bucket starts")
    readings: int | None = Field(default=None, description="buckets only: how many readings it holds")
    measurements: dict[str, float | bool | str | SummaryOut | None]


class ReadingsOut(BaseModel):
    """The readings of one device in a time range."""

    device: str = Field(examples=["bin-0007"])
    kind: str = Field(examples=["bin"])
    start: Instant
    end: Instant
    bucket: Bucket = Field(description="what was answered, also when auto was asked")
    tz: str = Field(examples=["Asia/Beirut"])
    units: dict[str, str] = Field(examples=[{"fill_pct": "%"}])
    readings: list[ReadingOut]


def raw_row(reading: Reading) -> dict[str, Any]:
    """Return a reading as ReadingOut shows it."""
    row: dict[str, Any] = {
        "observed_at": rfc3339(reading.observed_at),
        "received_at": rfc3339(reading.received_at),
        "quality": reading.quality,
        "suspect": reading.suspect,
        "measurements": {name: value for name, value in reading.values.items() if value is not None},
    }
    if reading.boot is not None or reading.seq is not None:
        row |= {"boot": reading.boot, "seq": reading.seq}
    if reading.extra:
        row["extra"] = reading.extra
    return row


def bucket_row(row: ReadingBucket) -> dict[str, Any]:
    """Return a bucket as ReadingOut shows it."""
    summaries = {
        name: {part: getattr(summary, part) for part in SUMMARY}
        | ({} if summary.grown is None else {"grown": summary.grown})
        for name, summary in row.values.items()
        if summary.count
    }
    return {"at": rfc3339(row.at), "readings": row.readings, "measurements": summaries}


BUCKET = file_columns(("at", "readings"), time=("at",), integer=("readings",))


def columns_of(
    kind: Kind, measurements: Sequence[str], bucket: Bucket, *, whole: bool
) -> tuple[FileColumn, ...]:
    """Return the columns of a table of such rows; whole: also what few people look at."""
    measured = files.measured(kind, measurements)
    if bucket is Bucket.RAW:
        return (*files.READING, *measured, *(files.BESIDE if whole else ()))
    counters = {m.name for m in kind.measurements if m.counter}
    parts = (
        _part(one, part)
        for one in measured
        for part in (*SUMMARY, *(["grown"] if one.name in counters else []))
    )
    return (*BUCKET, *parts)


def _part(measured: FileColumn, part: str) -> FileColumn:
    """Return the column of a part of a summary, in which truths are numbers."""
    name = f"{measured.name}_{part}"
    if part == "count":
        return FileColumn(name=name, type=CellType.INTEGER)
    is_text = part == "last" and measured.type is CellType.TEXT
    return FileColumn(name=name, type=CellType.TEXT if is_text else CellType.NUMBER, unit=measured.unit)


def flat_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return such a row as one line of a table."""
    flat = {name: value for name, value in row.items() if name not in ("measurements", "suspect")}
    flat["suspect"] = " ".join(row.get("suspect", ()))
    for name, value in row["measurements"].items():
        if isinstance(value, dict):
            flat |= {f"{name}_{part}": summed for part, summed in value.items()}
        else:
            flat[name] = value
    return flat
