"""How a person wants to be told of alerts: addresses by channel, own steps, quiet hours.

Pure: shapes and checks. All three are JSON values: {"ntfy": "amal-alerts", "push": ["…", "…"]};
[{"channel": "sms", "after_s": 300}]; [{"from": "22:00", "until": "06:00", "below": "major"}].
Must not know how a channel sends, nor who is told when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from devices.acceptable import fault
from devices.registry.errors import Invalid
from devices.suggestion import meant

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{3,30}")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{4,32}")
_PREFIX = re.compile(r"[^\s+#/$][^\s+#]{0,199}")
_SERVICE = re.compile(r"[a-z][a-z0-9-]{0,30}(?::(?!//).{1,200})?")
ADDRESS_LENGTH = 2_000
MOST_ADDRESSES, MOST_STEPS, MOST_SPANS = 5, 10, 7
LONGEST_S = 86_400.0
BROWSERS = "web-push"
"""The channel whose addresses people's browsers say themselves, see people.browsers."""
OWN_CHANNELS = ("email", "ntfy", "telegram", "sms", "push", "apprise")
"""What people may say of themselves; the others reach into other systems, and an administrator says them."""
BELOW = ("minor", "major", "critical")
"""Severities that quiet hours may begin below; nothing is below a warning."""


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.hostname) and parts.scheme in ("https", "http")


_CHECKS: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "email": (lambda text: EMAIL.fullmatch(text) is not None, "an address such as amal@example.org"),
    "ntfy": (lambda text: _TOPIC.fullmatch(text) is not None, "a topic such as amal-alerts"),
    "telegram": (lambda text: _CHAT.fullmatch(text) is not None, "the number of a chat, or @channel"),
    "sms": (lambda text: PHONE.fullmatch(text) is not None, "digits, with the country's number first"),
    "webhook": (_is_url, "an address with https:// or http://"),
    "mqtt": (
        lambda text: _PREFIX.fullmatch(text) is not None,
        "what alerts stand below: nabd/alerts",
    ),
    "push": (lambda text: bool(text), "what the browser subscribed with"),
    "apprise": (
        lambda text: _SERVICE.fullmatch(text) is not None,
        "the name of a service in NABD_APPRISE and its receiver, such as whatsapp:+96170123456",
    ),
}
CHANNELS = tuple(_CHECKS)
"""Those that have addresses which somebody writes."""
USED_CHANNELS = (*CHANNELS, BROWSERS)
"""Those by which people are told."""


def check_channels(channels: Mapping[str, Any]) -> None:
    """Refuse addresses that no channel can reach.

    Raises:
        Invalid: with the first of them.
    """
    for channel, value in channels.items():
        field = f"channels.{channel}"
        if channel == BROWSERS:
            raise Invalid(field, "has no address: browsers are let take messages where they are")
        if channel not in CHANNELS:
            raise Invalid(field, f"is no channel; {meant(channel, CHANNELS)}")
        said = value if isinstance(value, list) else [value]
        if len(said) > (most := 1 if channel == "sms" else MOST_ADDRESSES):
            raise Invalid(field, f"has at most {most} addresses")
        for address in said:
            if not _is_address(channel, address):
                raise Invalid(field, f"is {_CHECKS[channel][1]}")


def check_own_channels(channels: Mapping[str, Any], held: Mapping[str, Any]) -> None:
    """Refuse what people may not say of themselves; what they have already may stay, or go.

    Raises:
        Invalid: with the first of them.
    """
    for channel, value in channels.items():
        if channel in CHANNELS and channel not in OWN_CHANNELS and held.get(channel) != value:
            raise Invalid(f"channels.{channel}", "is set by an administrator")


def _is_address(channel: str, address: object) -> bool:
    if not isinstance(address, str) or not 1 <= len(address) <= ADDRESS_LENGTH or not address.isprintable():
        return False
    return fault(address) is None and _CHECKS[channel][0](address)


def addresses(
    email: str | None, phone: str | None, channels: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Return what can be reached, by channel in the order of CHANNELS.

    The person's e-mail and phone serve where no others are said. What was stored before it was checked is
    left out where it could not be stored now.
    """
    said: dict[str, Any] = {"email": email, "sms": phone, **channels}
    found = {}
    for channel in CHANNELS:
        value = said.get(channel)
        listed: list[Any] = value if isinstance(value, list) else [value]
        usable: list[str] = [a for a in listed if _is_address(channel, a)]
        if channel == "sms":
            usable = [re.sub(r"[^0-9+]", "", a) for a in usable]
        if usable:
            found[channel] = tuple(dict.fromkeys(usable))
    return found


def check_steps(steps: object, reachable: Mapping[str, Any]) -> None:
    """Refuse own steps that are none, or that use a channel without an address.

    Args:
        reachable: addresses by channel.

    Raises:
        Invalid: with the first of them.
    """
    if not isinstance(steps, list) or len(steps) > MOST_STEPS:
        raise Invalid("steps", f"is a list of at most {MOST_STEPS} steps")
    for i, step in enumerate(steps):
        field = f"steps[{i}]"
        if not isinstance(step, dict) or step.keys() != {"channel", "after_s"}:
            raise Invalid(field, 'a step is {"channel": "sms", "after_s": 300}')
        if step["channel"] not in USED_CHANNELS:
            raise Invalid(f"{field}.channel", f"is no channel; {meant(str(step['channel']), USED_CHANNELS)}")
        # Browsers come and go: a step without any is passed over when somebody is told.
        if step["channel"] not in (*reachable, BROWSERS):
            raise Invalid(f"{field}.channel", f"there is no address for {step['channel']}: add one first")
        after_s = step["after_s"]
        if isinstance(after_s, bool) or not isinstance(after_s, int | float) or not 0 <= after_s <= LONGEST_S:
            raise Invalid(f"{field}.after_s", f"is a number of seconds, 0 to {LONGEST_S:g}")


def check_quiet_hours(quiet_hours: object) -> None:
    """Refuse quiet hours that are none.

    Raises:
        Invalid: with the first of them.
    """
    if not isinstance(quiet_hours, list) or len(quiet_hours) > MOST_SPANS:
        raise Invalid("quiet_hours", f"is a list of at most {MOST_SPANS} spans of the day")
    for i, span in enumerate(quiet_hours):
        _check_span(f"quiet_hours[{i}]", span)


def _check_span(field: str, span: object) -> None:
    if not isinstance(span, dict) or span.keys() != {"from", "until", "below"}:
        raise Invalid(field, 'a span is {"from": "22:00", "until": "06:00", "below": "major"}')
    for end in ("from", "until"):
        if minute_of(span[end]) is None:
            raise Invalid(f"{field}.{end}", "is a time of the day such as 22:00")
    if span["from"] == span["until"]:
        raise Invalid(field, "would never end: from and until are the same")
    if span["below"] not in BELOW:
        raise Invalid(f"{field}.below", f"is a severity; {meant(str(span['below']), BELOW)}")


def minute_of(text: object) -> int | None:
    """Return a time of the day such as 22:00 in minutes after midnight, None where it is none."""
    found = CLOCK.fullmatch(text) if isinstance(text, str) else None
    return int(found[1]) * 60 + int(found[2]) if found else None
