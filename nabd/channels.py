"""The channels of this installation, made from its settings.

What each says of a setting names the variable; secrets are never repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from typing import TypeVar

from devices.instants import Now
from nabd.broker import client
from nabd.settings import Settings
from nabd.starting import NotConfigured, broker_of
from notify.channels.apprise import AppriseChannel
from notify.channels.email import EmailChannel, smtp_server
from notify.channels.http_exchange import DONE
from notify.channels.mqtt import MqttChannel
from notify.channels.ntfy import NtfyChannel
from notify.channels.public_address import ListedTargets, listed
from notify.channels.sms import SmsChannel, SmsGateway
from notify.channels.telegram import TelegramChannel
from notify.channels.web_push import WebPushChannel
from notify.channels.webhook import WebhookChannel, secret_of
from notify.message import NotificationChannel
from store.pool import open_pool

Given = TypeVar("Given")
Made = TypeVar("Made")


def channels_of(settings: Settings, now: Now) -> dict[str, NotificationChannel]:
    """Return the channels that are set up, by name; each is closed by the caller.

    Raises:
        NotConfigured: a setting cannot be used; the text names it.
    """
    made = (make(settings, now) for make in _CHANNELS.values())
    return {channel.name: channel for channel in made if channel is not None}


def webhook_targets(settings: Settings) -> ListedTargets:
    """Return what webhooks and subscriptions may call beside public addresses.

    Raises:
        NotConfigured: the setting cannot be used.
    """
    return _used("webhook_targets", listed, settings.webhook_targets)


def source_targets(settings: Settings) -> ListedTargets:
    """Return what sources may name beside public addresses.

    Raises:
        NotConfigured: the setting cannot be used.
    """
    return _used("source_targets", listed, settings.source_targets)


def names() -> list[str]:
    """Return the names of all channels that there could be."""
    return list(_CHANNELS)


def _email(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.email_server:
        return None
    server = _used("email_server", smtp_server, settings.email_server)
    return _used("email_from", lambda sender: EmailChannel(server, sender, now), settings.email_from)


def _webhook(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.webhook_secret:
        return None
    secret = _used("webhook_secret", secret_of, settings.webhook_secret)
    return WebhookChannel(secret, now, targets=webhook_targets(settings))


def _ntfy(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.ntfy_url:
        return None
    return NtfyChannel(settings.ntfy_url, token=settings.ntfy_token or None)


def _telegram(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.telegram_token:
        return None
    return _used(
        "telegram_token",
        lambda token: TelegramChannel(token, url=settings.telegram_url),
        settings.telegram_token,
    )


def _sms(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.sms_url:
        return None
    wanted = settings.sms_success
    gateway = SmsGateway(
        url=settings.sms_url,
        method=settings.sms_method,
        headers=settings.sms_headers,
        body=settings.sms_body,
        success=DONE if wanted is None else range(wanted, wanted + 1),
    )
    return SmsChannel(gateway)


def _mqtt(settings: Settings, now: Now) -> NotificationChannel | None:
    try:
        broker = broker_of(settings)
    except NotConfigured:
        return None
    return MqttChannel(lambda: client.client(broker))


def _apprise(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.apprise:
        return None
    if find_spec("apprise") is None:
        raise NotConfigured("NABD_APPRISE needs the extra: pip install 'nabd[apprise]'")
    return AppriseChannel(settings.apprise)


def _web_push(settings: Settings, now: Now) -> NotificationChannel | None:
    if not settings.web_push or not settings.database:
        return None
    own = settings.public_url if settings.public_url.startswith("https://") else ""
    return WebPushChannel(
        partial(open_pool, settings.database, min_size=0, max_size=2),
        now,
        contact=settings.web_push_contact or own,
        targets=_used("web_push_targets", listed, settings.web_push_targets),
    )


_CHANNELS: Mapping[str, Callable[[Settings, Now], NotificationChannel | None]] = {
    "email": _email,
    "webhook": _webhook,
    "ntfy": _ntfy,
    "telegram": _telegram,
    "sms": _sms,
    "mqtt": _mqtt,
    "apprise": _apprise,
    "web-push": _web_push,
}


def _used(name: str, make: Callable[[Given], Made], value: Given) -> Made:
    try:
        return make(value)
    except ValueError as error:
        raise NotConfigured(f"NABD_{name.upper()}: {error}") from None
