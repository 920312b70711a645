"""Settings of the channels that carry notifications; docs/channels.md has an example of each."""

from __future__ import annotations

from pydantic import Field
from pydantic.config import JsonDict

from nabd.configuration.sources import ConfiguredSettings

SECRET: JsonDict = {"secret": True}
"""Of a field that holds a password, a token, or an address with one in it: shown to nobody."""


class ChannelSettings(ConfiguredSettings):
    """Accounts at services; a channel without its settings is not there."""

    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^/\s]+(/[^\s]*)?)?$",
        description="where people reach this installation, for links in messages; empty: no links",
    )
    email_server: str = Field(
        json_schema_extra=SECRET,
        default="",
        description="smtps://, smtp:// (STARTTLS) or smtp+plain://[user:password@]host[:port]; empty: none",
    )
    email_from: str = Field(default="", description="the address that e-mails come from")
    webhook_secret: str = Field(
        json_schema_extra=SECRET,
        default="",
        description="whsec_ and base64: what webhooks are signed with; empty: no webhooks",
    )
    webhook_targets: list[str] = Field(
        default=[],
        description="JSON list: hosts, addresses and networks that webhooks may call beside public ones",
    )
    ntfy_url: str = Field(default="", description="address of a ntfy server; empty: no ntfy")
    ntfy_token: str = Field(
        json_schema_extra=SECRET, default="", description="an access token there; empty: none is needed"
    )
    telegram_token: str = Field(
        json_schema_extra=SECRET, default="", description="a bot's token; empty: no Telegram"
    )
    telegram_url: str = Field(
        default="https://api.telegram.org",
        description="address of Telegram's Bot API, or of a server like it",
    )
    sms_url: str = Field(
        json_schema_extra=SECRET,
        default="",
        description="address of an SMS gateway, with {to} {text} {id} if wanted; empty: no SMS",
    )
    sms_method: str = Field(default="POST", pattern="^[A-Z]+$", description="how the gateway is asked")
    sms_headers: dict[str, str] = Field(
        json_schema_extra=SECRET, default={}, description="JSON object: headers for the gateway"
    )
    sms_body: str = Field(
        json_schema_extra=SECRET, default="", description="body for the gateway, with {to} {text} {id}"
    )
    sms_success: int | None = Field(
        default=None, ge=100, le=599, description="the status by which it takes one; empty: any of 200 to 299"
    )
    web_push: bool = Field(default=True, description="whether people may have messages in their browsers")
    web_push_contact: str = Field(
        default="",
        pattern=r"^((mailto:|https://)[^\s]+)?$",
        description="whom push services may ask, mailto: or https://; empty: public_url, if that is https",
    )
    web_push_targets: list[str] = Field(
        default=[],
        description="JSON list: hosts, addresses and networks of push services beside public ones",
    )
    apprise: dict[str, str] = Field(
        json_schema_extra=SECRET,
        default={},
        description='JSON object: addresses of Apprise by name, {"whatsapp": "whatsapp://TOKEN@FROM/{to}"}',
    )
