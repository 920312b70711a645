"""What is known of a command at a network server, in words and codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devices.commands.details import (
    DETAIL_CODES,
    NO_UPLINK,
    SENT,
    Situation,
    detail_code,
    situation_of,
    words_of_others,
)

NOON = datetime(2026, 3, 1, 12, 0, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("situation", "status", "source", "enabled", "connected", "device_heard_at"),
    [
        (None, "queued", None, None, None, None),
        (None, "queued", "lora", True, True, None),
        ("source_away", "queued", "lora", True, False, None),
        ("source_away", "queued", "lora", True, None, None),
        ("source_removed", "sent", None, None, None, NOON + HOUR),
        ("source_disabled", "delivered", "lora", False, True, NOON + HOUR),
        ("source_away", "delivered", "lora", True, False, NOON + HOUR),
        ("heard_since", "delivered", "lora", True, True, NOON + HOUR),
        ("not_heard_since", "delivered", "lora", True, True, NOON),
        ("not_heard_since", "sent", "lora", True, True, None),
        (None, "expired", "lora", True, True, None),
        (None, "succeeded", None, None, None, None),
    ],
)
def test_what_is_known_of_a_downlink_follows_from_its_source_and_who_was_heard(
    situation: Situation | None,
    status: str,
    source: str | None,
    enabled: bool | None,
    connected: bool | None,
    device_heard_at: datetime | None,
) -> None:
    found = situation_of(
        status,
        source=source,
        source_municipality=None,
        enabled=enabled,
        connected=connected,
        since=NOON,
        source_heard_at=NOON - HOUR,
        device_heard_at=device_heard_at,
    )

    assert (found and found.situation) == situation
    if found is not None:
        assert "{" not in found.said()


def test_a_terminal_is_told_when_server_and_device_were_heard_last() -> None:
    found = situation_of(
        "delivered",
        source="lora",
        source_municipality="tripoli",
        enabled=True,
        connected=True,
        since=NOON,
        source_heard_at=NOON + HOUR,
        device_heard_at=None,
    )

    assert found is not None
    assert found.said() == (
        "nothing new since 2026-03-01 12:00:07Z: the device has not called in (last reading: never);"
        " last message of its network server: 2026-03-01 13:00:07Z"
    )


@pytest.mark.parametrize(
    ("detail", "known"),
    [
        (None, (None, None)),
        (SENT, ("sent", None)),
        ("driver stuck", (None, None)),
        (f"{NO_UPLINK}2026-03-01T12:00:07Z", ("no_uplink", NOON)),
        (f"{NO_UPLINK}yesterday, it says", (None, None)),
        (f"{NO_UPLINK}2026-03-01", (None, None)),
        (f"{NO_UPLINK}2026-3-1T12:00:07Z", (None, None)),
        (f"{NO_UPLINK}2026-03-01T12:00:07", (None, None)),
        (f"{NO_UPLINK}2026-03-01T12:00:07+00:00", (None, None)),
        (f"{NO_UPLINK}0001-01-01T00:00:00+14:00", (None, None)),
    ],
)
def test_details_of_ours_are_known_by_their_codes(
    detail: str | None, known: tuple[str | None, datetime | None]
) -> None:
    assert detail_code(detail) == known
    assert len({*DETAIL_CODES.values()}) == len(DETAIL_CODES)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("driver stuck", "driver stuck"),
        (SENT, f"“{SENT}”"),
        (f"{NO_UPLINK}2026-03-01T12:00:07Z", f"“{NO_UPLINK}2026-03-01T12:00:07Z”"),
    ],
)
def test_what_others_say_never_passes_for_a_detail_of_ours(said: str, kept: str) -> None:
    assert words_of_others(said) == kept
    assert detail_code(words_of_others(said)) == (None, None)
