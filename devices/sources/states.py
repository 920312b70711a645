"""How it goes with sources, as who hears them says; and the frames that were heard of late.

What is counted is added up, so that several processes may say it of one source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.instants import Now, to_datetime, to_microseconds
from devices.sources.source import Source, Way
from store.connection import Connection

ALIVE_S = 10.0
"""Real seconds without a sign of life (`nabd bridge` gives one every two) after which nobody hears."""
KEPT_S = 3_600
"""How long settled frames are kept: who repeats one later has restarted, and says when it was observed."""
UNSETTLED_S = 7 * 86_400
"""How long others are kept: as long as a broker keeps our session, and repeats messages."""
MOST = 100_000
"""Frames of a source that are known at once, the newest."""
FORGET_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a source brought since it was last said; see SourceState. Instants are microseconds since 1970."""

    messages: int = 0
    readings: int = 0
    rejected: int = 0
    copies: int = 0
    last_message_at: int | None = None
    refused: int = 0
    refused_at: int | None = None
    problems: int = 0
    problem: str = ""
    problem_at: int | None = None
    unread: int = 0

    def __add__(self, later: Counted) -> Counted:
        """Return this and what was counted after it."""
        return Counted(
            messages=self.messages + later.messages,
            readings=self.readings + later.readings,
            rejected=self.rejected + later.rejected,
            copies=self.copies + later.copies,
            last_message_at=_later(self.last_message_at, later.last_message_at),
            refused=self.refused + later.refused,
            refused_at=_later(self.refused_at, later.refused_at),
            problems=self.problems + later.problems,
            problem=later.problem or self.problem,
            problem_at=_later(self.problem_at, later.problem_at),
            unread=self.unread + later.unread,
        )


def _later(before: int | None, after: int | None) -> int | None:
    return before if after is None else after


@dataclass(frozen=True, slots=True, order=True)
class Frame:
    """One frame of a device: its counter, and what tells its content from another's."""

    device: str
    counter: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class KnownFrame:
    """The instant of a frame, and when it was settled (None: not yet), in microseconds since 1970-01-01Z."""

    at: int
    settled_at: int | None


def is_alive(source: Source, now: int, speed: float) -> bool:
    """Tell whether who hears a source gives signs of life; of a webhook that is whoever is asked.

    Args:
        now: microseconds since 1970-01-01Z, on a clock that runs `speed` times as fast as the real one.
    """
    if source.way is Way.WEBHOOK:
        return True
    return source.state is not None and source.state.alive_at >= alive_after(now, speed)


def alive_after(now: int, speed: float) -> datetime:
    """Return the instant since when somebody who hears a source has given a sign of life; see is_alive."""
    return to_datetime(now - int(ALIVE_S * 1e6 * speed))


_SAY = """
INSERT INTO source_state AS s (
    source_id, connected, reason, since, alive_at, last_message_at, messages, readings, rejected, copies,
    refused, refused_at, problems, problem, problem_at, unread
)
SELECT id, coalesce($2, false), $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
FROM source WHERE id = $1
ON CONFLICT (source_id) DO UPDATE SET
    connected = coalesce($2, s.connected),
    reason = CASE WHEN $2 IS NULL THEN s.reason ELSE excluded.reason END,
    since = CASE WHEN s.connected = coalesce($2, s.connected) THEN s.since ELSE excluded.since END,
    alive_at = excluded.alive_at,
    last_message_at = coalesce(excluded.last_message_at, s.last_message_at),
    messages = s.messages + excluded.messages,
    readings = s.readings + excluded.readings,
    rejected = s.rejected + excluded.rejected,
    copies = s.copies + excluded.copies,
    refused = s.refused + excluded.refused,
    refused_at = coalesce(excluded.refused_at, s.refused_at),
    problems = s.problems + excluded.problems,
    problem = CASE WHEN excluded.problem_at IS NULL THEN s.problem ELSE excluded.problem END,
    problem_at = coalesce(excluded.problem_at, s.problem_at),
    unread = s.unread + excluded.unread
"""


async def say(
    connection: Connection,
    source: int,
    counted: Counted,
    now: Now,
    *,
    connected: bool | None,
    reason: str = "",
) -> None:
    """Store how it goes with a source now; one that was removed meanwhile is left alone.

    Args:
        connected: None: nothing is known of it, and what was said before stays, with its reason.
    """
    await connection.execute(
        _SAY,
        source,
        connected,
        reason[:500],
        to_datetime(now()),
        _instant(counted.last_message_at),
        counted.messages,
        counted.readings,
        counted.rejected,
        counted.copies,
        counted.refused,
        _instant(counted.refused_at),
        counted.problems,
        counted.problem,
        _instant(counted.problem_at),
        counted.unread,
    )


def _instant(at: int | None) -> datetime | None:
    return None if at is None else to_datetime(at)


_FRAMES = """
SELECT device, counter, digest, observed_at, CASE WHEN settled THEN heard_at END
FROM source_frame
WHERE source_id = $1 AND heard_at >= $2 AND (NOT settled OR heard_at >= $3)
ORDER BY heard_at DESC LIMIT $4
"""


async def frames(connection: Connection, source: int, now: Now) -> dict[Frame, KnownFrame]:
    """Return the newest frames of a source that are kept, MOST of them at most."""
    kept = to_datetime(now() - KEPT_S * 1_000_000)
    unsettled = to_datetime(now() - UNSETTLED_S * 1_000_000)
    rows = await connection.fetch(_FRAMES, source, unsettled, kept, MOST)
    return {
        Frame(*row[:3]): KnownFrame(
            to_microseconds(row[3]), None if row[4] is None else to_microseconds(row[4])
        )
        for row in rows
    }


_REMEMBER = """
INSERT INTO source_frame AS f (source_id, device, counter, digest, observed_at, heard_at, settled)
SELECT $1, one.device, one.counter, one.digest, one.observed_at, $6, $7
FROM unnest($2::text [], $3::bigint [], $4::bytea [], $5::timestamptz [])
    AS one (device, counter, digest, observed_at)
WHERE EXISTS (SELECT FROM source WHERE id = $1)
ON CONFLICT (source_id, device, counter, digest) DO UPDATE SET
    observed_at = excluded.observed_at,
    heard_at = excluded.heard_at,
    settled = excluded.settled
"""


async def remember(
    connection: Connection, source: int, heard: Mapping[Frame, int], now: Now, *, settled: bool
) -> None:
    """Store frames with their instants; of what was known of them nothing stays."""
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
            settled,
        )


_FORGET = """
DELETE FROM source_frame
WHERE (source_id, device, counter, digest) IN (
    SELECT source_id, device, counter, digest FROM source_frame
    WHERE heard_at < $1 AND (settled OR heard_at < $2)
    ORDER BY heard_at LIMIT $3
)
"""


async def forget_old(connection: Connection, now: Now) -> None:
    """Remove frames that are not kept any longer."""
    kept, unsettled = (to_datetime(now() - s * 1_000_000) for s in (KEPT_S, UNSETTLED_S))
    await connection.execute(_FORGET, kept, unsettled, FORGET_AT_ONCE)
