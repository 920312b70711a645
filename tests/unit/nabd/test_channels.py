"""Channels are there when their settings are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from nabd import channels
from nabd.channels import channels_of
from nabd.settings import Settings, environment
from nabd.starting import NotConfigured

WHOLE: dict[str, Any] = {
    "database": "postgresql://nabd@127.0.0.1:1/nabd",
    "broker": "mqtt://127.0.0.1:1",
    "email_server": "smtps://nabd:secret@mail.example",
    "email_from": "nabd@tripoli.example",
    "webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "webhook_targets": ["10.0.0.0/8", "node-red.local"],
    "ntfy_url": "https://ntfy.example",
    "telegram_token": "123456:ABC-DEF_ghijklmnop",
    "sms_url": "https://sms.example/{to}",
    "sms_headers": {"Authorization": "Bearer x"},
    "sms_success": 202,
}


def made(**changes: Any) -> list[str]:
    """Return the names of the channels of some settings."""
    return list(channels_of(Settings(**changes), lambda: 0))


def test_no_channel_is_there_without_settings() -> None:
    assert made() == []


def test_every_channel_is_there_with_its_settings() -> None:
    assert made(**WHOLE) == [name for name in channels.names() if name != "apprise"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("email_server", "mail.example", "NABD_EMAIL_SERVER: expected smtps://"),
        ("email_from", "nobody", "NABD_EMAIL_FROM: 'nobody' is no e-mail address"),
        ("webhook_secret", "whsec_short", "NABD_WEBHOOK_SECRET: expected whsec_"),
        ("webhook_targets", ["10.0.0.0/99"], "NABD_WEBHOOK_TARGETS: '10.0.0.0/99' is no host"),
        ("web_push_targets", ["10.0.0.0/99"], "NABD_WEB_PUSH_TARGETS: '10.0.0.0/99' is no host"),
        ("telegram_token", "s3cr3t", "NABD_TELEGRAM_TOKEN: expected a bot's token"),
    ],
)
def test_setting_that_cannot_be_used_is_named_without_its_secret(name: str, value: Any, said: str) -> None:
    with pytest.raises(NotConfigured) as refused:
        made(**{**WHOLE, name: value})

    assert str(refused.value).startswith(said)
    assert "s3cr3t" not in str(refused.value)


def test_settings_reach_another_process_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(**WHOLE)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


@pytest.mark.parametrize("url", ["nabd.example.org", "javascript:x", "https://x y"])
def test_public_address_is_one_of_http(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(public_url=url)
