"""The resolution of a chart: raw readings, or one bucket a minute, an hour or a day.

Pure. Must not know SQL or HTTP.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import assert_never

DEFAULT_WIDTH = 800
"""Points that a chart of ordinary width can show."""


class Bucket(StrEnum):
    """What may be asked for."""

    AUTO = "auto"
    RAW = "raw"
    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"


LIMITS = {
    Bucket.RAW: timedelta(days=31),
    Bucket.MINUTE: timedelta(days=31),
    Bucket.HOUR: timedelta(days=731),
    Bucket.DAY: timedelta(days=3660),
}
"""The widest span each is answered for, about 45,000 buckets."""


def choose(span: timedelta, *, width: int, every: timedelta) -> Bucket:
    """Return the finest bucket that gives at most `width` points over `span`.

    Args:
        span: the time asked for.
        width: how many points are useful, usually pixels.
        every: how often the device reports at its fastest.
    """
    sizes = {Bucket.RAW: every, Bucket.MINUTE: timedelta(minutes=1), Bucket.HOUR: timedelta(hours=1)}
    for bucket, size in sizes.items():
        if span <= size * width and span <= LIMITS[bucket]:
            return bucket
    return Bucket.DAY


def unit(bucket: Bucket) -> str:
    """Return the calendar unit that a bucket covers."""
    match bucket:
        case Bucket.MINUTE:
            return "minute"
        case Bucket.HOUR:
            return "hour"
        case Bucket.DAY:
            return "day"
        case Bucket.RAW | Bucket.AUTO:
            raise ValueError(f"{bucket} is not a bucket of fixed size")
        case _:
            assert_never(bucket)
