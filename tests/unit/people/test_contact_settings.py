"""What a person may say of how they are told."""

from __future__ import annotations

from typing import Any

import pytest

from devices.registry.errors import Invalid
from people.contact_settings import addresses, check_channels, check_quiet_hours, check_steps

GOOD: dict[str, Any] = {
    "email": "amal@example.org",
    "ntfy": ["amal-alerts", "amal-nights"],
    "telegram": "-100123",
    "sms": "+961 3 123 456",
    "webhook": "https://example.org/hook",
    "mqtt": "people/amal",
    "push": ['{"endpoint": "https://push.example.org/1"}'],
    "apprise": "whatsapp:+96170123456",
}


def test_every_channel_takes_its_address() -> None:
    check_channels(GOOD)


@pytest.mark.parametrize(
    ("channels", "field"),
    [
        ({"ntfi": "amal"}, "channels.ntfi: is no channel; did you mean 'ntfy'?"),
        ({"ntfy": "a topic"}, "channels.ntfy: is a topic such as"),
        ({"email": "amal"}, "channels.email: is an address"),
        ({"email": {"to": "amal@example.org"}}, "channels.email"),
        ({"email": ["a@example.org", 7]}, "channels.email"),
        ({"email": [f"a{i}@example.org" for i in range(6)]}, "channels.email: has at most 5"),
        ({"sms": "amal"}, "channels.sms: is digits"),
        ({"telegram": "amal"}, "channels.telegram"),
        ({"webhook": "ftp://example.org"}, "channels.webhook"),
        ({"webhook": "https://[half"}, "channels.webhook"),
        ({"mqtt": "people/#"}, "channels.mqtt"),
        ({"push": "x" * 2001}, "channels.push"),
        ({"apprise": "WhatsApp:+9613123456"}, "channels.apprise: is the name of a service"),
        ({"apprise": "json://10.0.0.1/"}, "channels.apprise"),
        ({"sms": ["+9613123456", "+9613123457"]}, "channels.sms: has at most 1 "),
        ({"ntfy": "amal\n"}, "channels.ntfy"),
    ],
)
def test_an_address_that_no_channel_can_reach_is_refused(channels: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_channels(channels)

    assert str(refused.value).startswith(field)


def test_email_and_phone_serve_where_nothing_else_is_said() -> None:
    assert addresses("a@example.org", "+961 3 123-456", {}) == {
        "email": ("a@example.org",),
        "sms": ("+9613123456",),
    }
    assert addresses("a@example.org", None, {"email": "b@example.org", "ntfy": ["x", "x"]}) == {
        "email": ("b@example.org",),
        "ntfy": ("x",),
    }
    assert addresses(None, None, {"ntfy": {"old": "shape"}, "pager": "7"}) == {}


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({}, "steps: is a list"),
        ([{"channel": "sms"}], "steps[0]: a step is"),
        (
            [{"channel": "email", "after_s": 0}, {"channel": "smss", "after_s": 0}],
            "steps[1].channel: is no channel; did",
        ),
        ([{"channel": "sms", "after_s": 0}], "steps[0].channel: there is no address for sms"),
        ([{"channel": "email", "after_s": -1}], "steps[0].after_s: is a number"),
        ([{"channel": "email", "after_s": True}], "steps[0].after_s: is a number"),
        ([{"channel": "email", "after_s": float("nan")}], "steps[0].after_s: is a number"),
    ],
)
def test_steps_that_cannot_be_taken_are_refused(steps: Any, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_steps(steps, {"email": ("a@example.org",)})

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ("22:00", "quiet_hours[0]: a span is"),
        ({"from": "22:00", "until": "06:00"}, "quiet_hours[0]: a span is"),
        ({"from": "22", "until": "06:00", "below": "major"}, "quiet_hours[0].from: is a time"),
        ({"from": "22:00", "until": "24:00", "below": "major"}, "quiet_hours[0].until: is a time"),
        ({"from": "22:00", "until": "22:00", "below": "major"}, "quiet_hours[0]: would never end"),
        ({"from": "22:00", "until": "06:00", "below": "majr"}, "quiet_hours[0].below: is a severity; did"),
        ({"from": "22:00", "until": "06:00", "below": ["major"]}, "quiet_hours[0].below"),
    ],
)
def test_quiet_hours_that_are_none_are_refused(span: Any, said: str) -> None:
    check_quiet_hours([{"from": "22:00", "until": "06:00", "below": "major"}])
    with pytest.raises(Invalid) as refused:
        check_quiet_hours([span])

    assert str(refused.value).startswith(said)
