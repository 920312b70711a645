"""How long the sender waits before it tries again."""

from __future__ import annotations

from math import inf, nan
from typing import Any
from uuid import uuid4

import pytest

from notify.channels.webhook import payload
from notify.message import Undelivered
from notify.outbox.attempts import DeliveryAttempt
from notify.outbox.planned import NoticeTopic
from notify.outbox.ports import no_answers
from notify.outbox.sender import LONGEST_ASKED_S, MessageSender, about_channel, pause_before


@pytest.mark.parametrize("asked_s", [1e9, 1e308, inf])
def test_a_service_may_put_us_off_for_an_hour_at_most(asked_s: float) -> None:
    assert pause_before(2, asked_s) == LONGEST_ASKED_S == 3600.0


@pytest.mark.parametrize("asked_s", [None, 0.0, -60.0, -inf, nan])
def test_what_asks_for_nothing_is_tried_again_after_our_own_pause(asked_s: float | None) -> None:
    assert 2.5 <= pause_before(2, asked_s) <= 5.0


def test_a_service_is_left_alone_as_long_as_it_asks() -> None:
    assert pause_before(2, 60.0) == 60.0


def attempt_of(**more: Any) -> DeliveryAttempt:
    facts: dict[str, Any] = {
        "id": uuid4(), "number": 1, "call_id": uuid4(), "person_id": 1, "channel": "email",
        "address": "a@example.org", "occasion": None, "failing_channel": None, "group_key": None,
        "digest": False, "created_at": 0, "alerts": (),
    }  # fmt: skip
    return DeliveryAttempt(**{**facts, **more})


def test_a_program_reads_that_a_channel_fails_as_that() -> None:
    assert payload(about_channel(attempt_of(failing_channel="sms"), "en"))["type"] == "channel.failing"


@pytest.mark.parametrize(
    ("topic", "days", "state"),
    [
        (NoticeTopic.WEEKLY_REPORT, 6.9, "planned"), (NoticeTopic.WEEKLY_REPORT, 7.1, "given-up"),
        (NoticeTopic.AUDIT_HEADS, 27, "planned"),
        (NoticeTopic.WORK, 1.1, "given-up"), (None, 1.1, "given-up"),
    ],
)  # fmt: skip
def test_a_report_is_tried_until_the_next_one_is_due(
    topic: NoticeTopic | None, days: float, state: str
) -> None:
    sender = MessageSender(
        pool=None, channels={}, compose=None, answers_of=no_answers, kinds={}, owner=uuid4(),  # type: ignore[arg-type]
        now=lambda: round(days * 86_400_000_000),
    )  # fmt: skip

    assert sender._after(attempt_of(topic=topic), Undelivered("busy")).state == state
