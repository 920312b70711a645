"""Which frames were heard before: by counter and content, for a while."""

from __future__ import annotations

from devices.sources.frames import MOST, Frames, frame_of

MINUTE = 60_000_000
NOON = 1_790_000_000_000_000


def test_a_copy_within_the_window_has_the_instant_of_the_first() -> None:
    frames = Frames({}, window=10 * MINUTE)
    frame = frame_of("A", 7, b"x")
    assert frames.seen(frame, NOON) is None
    frames.add(frame, NOON)

    assert frames.seen(frame_of("A", 7, b"x"), NOON + 48_000_000) == NOON
    assert frames.seen(frame, NOON - MINUTE) == NOON


def test_another_counter_content_device_or_day_is_news() -> None:
    frames = Frames({frame_of("A", 7, b"x"): NOON}, window=10 * MINUTE)

    for other in (frame_of("A", 8, b"x"), frame_of("A", 7, b"y"), frame_of("B", 7, b"x")):
        assert frames.seen(other, NOON) is None
    assert frames.seen(frame_of("A", 7, b"x"), NOON + 11 * MINUTE) is None


def test_what_was_refused_may_come_again() -> None:
    frames = Frames({}, window=MINUTE)
    frame = frame_of("A", 7, b"x")
    frames.add(frame, NOON)

    frames.forget(frame)

    assert frames.seen(frame, NOON) is None


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    known = {frame_of("A", n, b"x"): NOON - n for n in range(10)}
    frames = Frames(known, window=MINUTE)

    for n in range(MOST):
        frames.add(frame_of("B", n, b"x"), NOON)

    assert frames.seen(frame_of("A", 0, b"x"), NOON) is None
    assert frames.seen(frame_of("B", MOST - 1, b"x"), NOON) == NOON
