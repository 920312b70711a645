"""Which codecs failed, by the rejections that they caused. Must not know how codecs run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.connection import Connection

_BY_CODEC = r"""
SELECT
    substring(detail FROM '^codec (.+?\.js): ') AS codec,
    count(*)::bigint AS messages,
    count(DISTINCT device)::bigint AS devices,
    (array_agg(substring(detail FROM '^codec .+?\.js: (.*)$') ORDER BY id DESC))[1] AS reason
FROM rejection
WHERE received_at >= $1 AND reason IN ('malformed', 'unknown_device') AND detail ~ '^codec .+?\.js: '
GROUP BY codec
ORDER BY messages DESC, codec
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedCodec:
    """A codec that cost messages. reason: of the last of them. messages: those that are kept, at least."""

    codec: str
    messages: int
    devices: int
    reason: str


async def by_codec(connection: Connection, since: datetime) -> list[FailedCodec]:
    """Return the codecs that failed since an instant, the worst first."""
    return [FailedCodec(**row) for row in await connection.fetch(_BY_CODEC, since)]
