"""Which frames were heard before: by counter and content, once they are settled, for a while."""

from __future__ import annotations

import asyncio

from devices.sources.frames import UNDATED, Frames, frame_of
from devices.sources.states import MOST, KnownFrame

MINUTE = 60_000_000
DAY = 1_440 * MINUTE
NOON = 1_790_000_000_000_000
FRAME = frame_of("A", 7, b"x")


def test_a_settled_frame_within_the_window_is_a_copy() -> None:
    frames = Frames({}, window=10 * MINUTE)
    assert not frames.is_copy(FRAME, NOON)

    frames.settle(FRAME, NOON, NOON + DAY)

    assert frames.is_copy(frame_of("A", 7, b"x"), NOON + 48_000_000)
    assert frames.is_copy(FRAME, NOON - MINUTE)
    assert not frames.is_copy(FRAME, NOON + 11 * MINUTE)


def test_another_counter_content_device_or_day_is_news() -> None:
    frames = Frames({FRAME: KnownFrame(NOON, NOON)}, window=10 * MINUTE)

    for other in (frame_of("A", 8, b"x"), frame_of("A", 7, b"y"), frame_of("B", 7, b"x")):
        assert not frames.is_copy(other, NOON)


def test_one_on_its_way_is_no_copy_and_ends_for_whoever_waits() -> None:
    frames, ended = Frames({}, window=MINUTE), asyncio.Event()
    frames.begin(FRAME, NOON, ended)

    assert frames.on_its_way(FRAME, NOON + MINUTE) is ended
    assert frames.on_its_way(FRAME, NOON + 2 * MINUTE) is None
    assert not frames.is_copy(FRAME, NOON)
    frames.end([FRAME], ended)
    assert ended.is_set()
    assert frames.on_its_way(FRAME, NOON) is None
    assert not frames.is_copy(FRAME, NOON)


def test_a_repeat_has_its_instant_however_late_until_that_is_settled() -> None:
    frame = frame_of("A", UNDATED, b"x")
    frames = Frames({}, window=MINUTE)
    frames.date(frame, NOON)
    assert frames.instant(frame, NOON + 7 * DAY) == NOON

    frames.settle(frame, NOON, NOON + DAY)

    assert frames.instant(frame, NOON + DAY + MINUTE) == NOON
    assert frames.instant(frame, NOON + DAY + 2 * MINUTE) is None


def test_a_device_may_be_called_anything() -> None:
    nameless = {frame_of(name, 7, b"x") for name in ("a\0b", "a" * 100_000, "\ud800", "", "a b")}

    assert [frame.device for frame in nameless] == [""] * 5


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    known = {frame_of("A", n, b"x"): KnownFrame(NOON - n, NOON) for n in range(10)}
    frames = Frames(known, window=MINUTE)

    for n in range(MOST):
        frames.settle(frame_of("B", n, b"x"), NOON, NOON)

    assert not frames.is_copy(frame_of("A", 0, b"x"), NOON)
    assert frames.is_copy(frame_of("B", MOST - 1, b"x"), NOON)
