"""SMS by any gateway that takes them over HTTP: its request is a template.

{to} {text} and {id} in address and body are filled in as the body's type wants it: escaped in JSON, encoded
in a form. Headers and address hold the account's secrets: no answer repeats them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from notify.channels.http_exchange import DONE, TIMEOUT_S, ServiceAnswer, accepted, exchange, new_client
from notify.channels.left_out import LEFT_OUT
from notify.message import NotificationMessage, Undelivered

NUMBER = re.compile(r"\+?[0-9]{4,15}")
_PLACEHOLDER = re.compile(r"\{(to|text|id)\}")
_LEAST_SECRET = 4
"""Characters: what is shorter stands in ordinary words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsGateway:
    """How a gateway is asked to send one SMS.

    success: the statuses that say it took it. body: empty for none.
    """

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    success: range = DONE


class SmsChannel:
    """Sends the short form of messages to telephone numbers."""

    name = "sms"

    def __init__(self, gateway: SmsGateway, *, timeout_s: float = TIMEOUT_S) -> None:
        self._gateway = gateway
        self._timeout_s = timeout_s
        self._client = new_client()

    async def send(self, message: NotificationMessage, to: str) -> str:
        """Hand the short form over to the gateway and return its answer.

        Raises:
            Undelivered: the number is none, or the gateway did not take it.
        """
        number = re.sub(r"[ ()./-]", "", to)
        if not NUMBER.fullmatch(number):
            raise Undelivered("the number is not + and 4 to 15 digits", permanent=True)
        gateway = self._gateway
        values = {"to": number, "text": message.short, "id": message.id}
        escape = _json if _is_json(gateway) else _encoded
        request = self._client.build_request(
            gateway.method,
            filled(gateway.url, values, _encoded),
            content=filled(gateway.body, values, escape).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded", **gateway.headers},
        )
        answer = await exchange(self._client, request, timeout_s=self._timeout_s)
        return accepted(self._without_secrets(answer), number.removeprefix("+"), expected=gateway.success)

    async def close(self) -> None:
        """Give connections back."""
        await self._client.aclose()

    def _without_secrets(self, answer: ServiceAnswer) -> ServiceAnswer:
        body = answer.body.decode("utf-8", "replace")
        for secret in _secrets(self._gateway):
            body = body.replace(secret, LEFT_OUT)
        return replace(answer, body=body.encode())


def filled(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    """Return a template with its placeholders filled in; what is filled in is no template."""
    return _PLACEHOLDER.sub(lambda found: escape(values[found[1]]), template)


def _is_json(gateway: SmsGateway) -> bool:
    return any(name.lower() == "content-type" and "json" in value for name, value in gateway.headers.items())


def _json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _encoded(value: str) -> str:
    return quote(value, safe="")


def _secrets(gateway: SmsGateway) -> list[str]:
    """Return what must not be repeated: words of headers, values in the address and the body."""
    words = [word for value in gateway.headers.values() for word in value.split()]
    words += re.findall(r"=([^&{}]+)", gateway.url) + re.findall(r"[=:]\s*\"?([^&{}\",]+)", gateway.body)
    words += re.findall(r"//([^/@]+)@", gateway.url)
    return sorted((word for word in words if len(word) >= _LEAST_SECRET), key=len, reverse=True)
