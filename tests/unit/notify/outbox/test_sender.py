"""How long the sender waits before it tries again."""

from __future__ import annotations

from math import inf, nan
from uuid import uuid4

import pytest

from notify.channels.webhook import payload
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.sender import LONGEST_ASKED_S, about_channel, pause_before


@pytest.mark.parametrize("asked_s", [1e9, 1e308, inf])
def test_a_service_may_put_us_off_for_an_hour_at_most(asked_s: float) -> None:
    assert pause_before(2, asked_s) == LONGEST_ASKED_S == 3600.0


@pytest.mark.parametrize("asked_s", [None, 0.0, -60.0, -inf, nan])
def test_what_asks_for_nothing_is_tried_again_after_our_own_pause(asked_s: float | None) -> None:
    assert 2.5 <= pause_before(2, asked_s) <= 5.0


def test_a_service_is_left_alone_as_long_as_it_asks() -> None:
    assert pause_before(2, 60.0) == 60.0


def test_a_program_reads_that_a_channel_fails_as_that() -> None:
    attempt = DeliveryAttempt(
        id=uuid4(), number=1, call_id=uuid4(), person_id=1, channel="webhook", address="https://example.org",
        occasion=None, failing_channel="sms", group_key=None, digest=False, created_at=0, alerts=(),
    )  # fmt: skip

    assert payload(about_channel(attempt, "en"))["type"] == "channel.failing"
