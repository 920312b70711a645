"""How finely a chart is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.http.buckets import Bucket, choose

SECOND = timedelta(seconds=1)
TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("span", "every", "bucket"),
    [
        (timedelta(days=1), TEN_MINUTES, Bucket.RAW),
        (timedelta(days=5), TEN_MINUTES, Bucket.RAW),
        (timedelta(days=6), TEN_MINUTES, Bucket.HOUR),
        (timedelta(minutes=10), SECOND, Bucket.RAW),
        (timedelta(hours=10), SECOND, Bucket.MINUTE),
        (timedelta(days=2), SECOND, Bucket.HOUR),
        (timedelta(days=365), SECOND, Bucket.DAY),
        (timedelta(days=32), timedelta(hours=6), Bucket.HOUR),
    ],
)
def test_bucket_is_the_finest_that_fits_the_width(span: timedelta, every: timedelta, bucket: Bucket) -> None:
    assert choose(span, width=800, every=every) is bucket
