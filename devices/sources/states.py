"""How it goes with sources, as who hears them says; and the frames that were heard of late.

What is counted is added up, so that several processes may say it of one source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.instants import Now, to_datetime, to_microseconds
from store.connection import Connection

KEPT_S = 3_600
"""How long frames are kept: who repeats one later has restarted, and says when it was observed."""
FORGET_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a source brought since it was last said; see SourceState."""

    messages: int = 0
    readings: int = 0
    rejected: int = 0
    copies: int = 0
    last_message_at: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """One frame of a device: its counter, and what tells its content from another's."""

    device: str
    counter: int
    digest: bytes


_SAY = """
INSERT INTO source_state AS s (
    source_id, connected, reason, since, alive_at, last_message_at, messages, readings, rejected, copies
)
SELECT id, $2, $3, $4, $4, $5, $6, $7, $8, $9 FROM source WHERE id = $1
ON CONFLICT (source_id) DO UPDATE SET
    connected = excluded.connected,
    reason = excluded.reason,
    since = CASE WHEN s.connected = excluded.connected THEN s.since ELSE excluded.since END,
    alive_at = excluded.alive_at,
    last_message_at = coalesce(excluded.last_message_at, s.last_message_at),
    messages = s.messages + excluded.messages,
    readings = s.readings + excluded.readings,
    rejected = s.rejected + excluded.rejected,
    copies = s.copies + excluded.copies
"""


async def say(
    connection: Connection, source: int, counted: Counted, now: Now, *, connected: bool, reason: str = ""
) -> None:
    """Store how it goes with a source now; one that was removed meanwhile is left alone."""
    last = counted.last_message_at
    await connection.execute(
        _SAY,
        source,
        connected,
        reason[:500],
        to_datetime(now()),
        None if last is None else to_datetime(last),
        counted.messages,
        counted.readings,
        counted.rejected,
        counted.copies,
    )


_FRAMES = """
SELECT device, counter, digest, observed_at FROM source_frame WHERE source_id = $1 AND heard_at >= $2
"""


async def frames(connection: Connection, source: int, now: Now) -> dict[Frame, int]:
    """Return the frames of a source that were heard within KEPT_S, with their instants in microseconds."""
    since = to_datetime(now() - KEPT_S * 1_000_000)
    rows = await connection.fetch(_FRAMES, source, since)
    return {
        Frame(row["device"], row["counter"], row["digest"]): to_microseconds(row["observed_at"])
        for row in rows
    }


_REMEMBER = """
INSERT INTO source_frame (source_id, device, counter, digest, observed_at, heard_at)
SELECT $1, f.device, f.counter, f.digest, f.observed_at, $6
FROM unnest($2::text [], $3::bigint [], $4::bytea [], $5::timestamptz [])
    AS f (device, counter, digest, observed_at)
WHERE EXISTS (SELECT FROM source WHERE id = $1)
ON CONFLICT DO NOTHING
"""


async def remember(connection: Connection, source: int, heard: Mapping[Frame, int], now: Now) -> None:
    """Store frames with their instants; those that are known keep theirs."""
    found: Sequence[Frame] = sorted(heard)
    if found:
        await connection.execute(
            _REMEMBER,
            source,
            [one.device for one in found],
            [one.counter for one in found],
            [one.digest for one in found],
            [to_datetime(heard[one]) for one in found],
            to_datetime(now()),
        )


_FORGET = """
DELETE FROM source_frame
WHERE (source_id, device, counter, digest) IN (
    SELECT source_id, device, counter, digest FROM source_frame
    WHERE heard_at < $1 ORDER BY heard_at LIMIT $2
)
"""


async def forget_old(connection: Connection, now: Now) -> None:
    """Remove frames heard longer ago than KEPT_S."""
    await connection.execute(_FORGET, to_datetime(now() - KEPT_S * 1_000_000), FORGET_AT_ONCE)
