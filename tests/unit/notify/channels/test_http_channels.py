"""Each channel over HTTP against a server of the tests, well-behaved and badly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from alerts.transition import Severity
from notify.channels.http_exchange import MOST_OF_ANSWER
from notify.channels.left_out import LEFT_OUT
from notify.channels.ntfy import NtfyChannel
from notify.channels.public_address import listed
from notify.channels.sms import SmsChannel, SmsGateway
from notify.channels.telegram import TelegramChannel
from notify.channels.webhook import WebhookChannel, secret_of, signature
from notify.message import NotificationChannel, NotificationMessage, Occasion, Undelivered
from tests.unit.notify.builders import make_message
from tests.unit.notify.channels.services import HttpService, http, serving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BOT = "123456:ABC-DEF_ghijklmnop"
NOW = 1_614_265_330_000_000
Build = Callable[[str, float], tuple[NotificationChannel, str]]
"""Returns a channel to the server of an address, and a receiver."""


def webhook(url: str, timeout_s: float) -> tuple[NotificationChannel, str]:
    """Return a webhook that may call loopback."""
    targets = listed(["127.0.0.0/8"])
    channel = WebhookChannel(secret_of(SECRET), lambda: NOW, targets=targets, timeout_s=timeout_s)
    return channel, f"{url}/hook"


def ntfy(url: str, timeout_s: float) -> tuple[NotificationChannel, str]:
    """Return a channel to a server of ntfy."""
    return NtfyChannel(url, token="tk_secret", timeout_s=timeout_s), "lights"


def telegram(url: str, timeout_s: float) -> tuple[NotificationChannel, str]:
    """Return a channel to a service that speaks the Bot API."""
    return TelegramChannel(BOT, url=url, timeout_s=timeout_s), "-1001"


def sms(url: str, timeout_s: float) -> tuple[NotificationChannel, str]:
    """Return a channel to a gateway that takes forms."""
    gateway = SmsGateway(
        url=f"{url}/send?key=s3cr3t-key",
        headers={"Authorization": "Bearer t0ken-of-ours"},
        body="recipient={to}&message={text}&ref={id}",
    )
    return SmsChannel(gateway, timeout_s=timeout_s), "+961 3 123 456"


BUILDS = [webhook, ntfy, telegram, sms]


async def handed_over(
    build: Build, service: HttpService, message: NotificationMessage | None = None, timeout_s: float = 5.0
) -> str:
    """Send a message to a service and return the answer."""
    async with serving(service):
        channel, to = build(service.url, timeout_s)
        try:
            return await channel.send(message or make_message(), to)
        finally:
            await channel.close()


@pytest.mark.parametrize(
    ("build", "kept"),
    [(webhook, ': {"ok": true}'), (ntfy, ""), (telegram, ""), (sms, ': {"ok": true}')],
)
async def test_message_is_handed_over_once_and_the_answer_kept(build: Build, kept: str) -> None:
    service = HttpService(http(200, b'{"ok": true}'))

    answer = await handed_over(build, service)

    assert answer == f"200 OK{kept}"
    assert len(service.asked) == 1
    assert service.asked[0].line.startswith("POST /")


@pytest.mark.parametrize(
    ("build", "to"), [(ntfy, "lights"), (telegram, "-1001"), (sms, "+9613123456"), (sms, "9613123456")]
)
async def test_receivers_address_is_not_repeated(build: Build, to: str) -> None:
    taken, refused = HttpService(http(200, to.encode())), HttpService(http(400, f"no {to}!".encode()))

    assert to not in await handed_over(build, taken)
    with pytest.raises(Undelivered) as answered:
        await handed_over(build, refused)

    assert str(answered.value) == f"400 Bad Request: no {LEFT_OUT}!"


async def test_webhooks_address_is_not_repeated() -> None:
    service = HttpService(b"")
    async with serving(service):
        service.answer = http(404, f"nothing at {service.url}/hook".encode())
        channel, to = webhook(service.url, 5.0)
        with pytest.raises(Undelivered, match="404") as answered:
            await channel.send(make_message(), to)
        await channel.close()

    assert str(answered.value) == f"404 Not Found: nothing at {LEFT_OUT}"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(
    ("answer", "permanent", "retry_after_s"),
    [
        (http(429, Retry_After="17"), False, 17.0),
        (
            http(503, Date="Mon, 01 Jun 2026 12:00:00 GMT", Retry_After="Mon, 01 Jun 2026 12:02:00 GMT"),
            False,
            120.0,
        ),
        (http(429, Retry_After="soon"), False, None),
        (http(429, Retry_After="999999999"), False, 3600.0),
        (http(429, Retry_After="1" * 400), False, 3600.0),
        (
            http(503, Date="Mon, 01 Jun 2026 12:00:00 GMT", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"),
            False,
            3600.0,
        ),
        (
            http(503, Date="Mon, 01 Jun 2026 12:00:00 GMT", Retry_After="Mon, 01 Jun 2026 11:00:00 GMT"),
            False,
            0.0,
        ),
        (http(421), False, None),
        (http(500, b"oops\r\n<html>"), False, None),
        (http(302, Location="http://127.0.0.1:1/elsewhere"), True, None),
        (http(307, Location="/again"), True, None),
        (http(400, b"bad"), True, None),
        (http(403), True, None),
    ],
)
async def test_refusal_says_whether_and_when_to_try_again(
    build: Build, answer: bytes, retry_after_s: float | None, *, permanent: bool
) -> None:
    service = HttpService(answer)

    with pytest.raises(Undelivered) as refused:
        await handed_over(build, service)

    assert (refused.value.permanent, refused.value.retry_after_s) == (permanent, retry_after_s)
    assert str(refused.value).startswith(answer.decode().partition(" ")[2][:3])
    assert "\n" not in str(refused.value)
    assert len(service.asked) == 1, "a redirect is not followed"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize(
    "service",
    [
        HttpService(b"", hangs=True),
        HttpService(b""),
        HttpService(http(200), cut_after=9),
        HttpService(b"SSH-2.0\r\n"),
    ],
    ids=["hangs", "closes", "cuts off", "speaks otherwise"],
)
async def test_service_that_gives_no_answer_may_be_tried_again(build: Build, service: HttpService) -> None:
    before = len(service.asked)
    with pytest.raises(Undelivered, match="no answer") as failed:
        await handed_over(build, service, timeout_s=0.3)

    assert not failed.value.permanent
    assert failed.value.may_have_arrived or len(service.asked) == before


@pytest.mark.parametrize("build", BUILDS)
async def test_service_that_is_not_there_may_be_tried_again(build: Build) -> None:
    channel, to = build("http://127.0.0.1:1", 1.0)

    with pytest.raises(Undelivered, match="no answer") as failed:
        await channel.send(make_message(), to)

    await channel.close()
    assert not failed.value.permanent
    assert not failed.value.may_have_arrived
    assert "s3cr3t-key" not in str(failed.value)
    assert BOT not in str(failed.value)


@pytest.mark.parametrize("build", BUILDS)
async def test_answer_that_is_cut_off_or_endless_after_its_status_counts(build: Build) -> None:
    cut = HttpService(http(200, b"taken", Content_Length="500"))
    endless = HttpService(http(200, b"x" * 100 * MOST_OF_ANSWER))

    assert (await handed_over(build, cut)).startswith("200 OK")
    assert len(await handed_over(build, endless)) < 300


async def test_ntfy_is_told_topic_priority_and_buttons_that_answer() -> None:
    service = HttpService(http(200))

    await handed_over(ntfy, service)

    asked = json.loads(service.asked[0].body)
    assert (asked["topic"], asked["priority"], asked["title"]) == ("lights", 5, make_message().subject)
    assert asked["click"] == make_message().url
    assert [(b["label"], b["method"], b["url"], b["body"]) for b in asked["actions"]] == [
        ("Acknowledge", "POST", make_message().url, "answer=acknowledge"),
        ("Can't come", "POST", make_message().url, "answer=decline"),
    ]
    assert service.asked[0].headers["authorization"] == "Bearer tk_secret"


async def test_ntfy_topic_may_be_said_as_its_address_on_the_server() -> None:
    service = HttpService(http(200))
    async with serving(service):
        channel, _ = ntfy(service.url, 5.0)
        await channel.send(make_message(), f"{service.url}/lights")
        with pytest.raises(Undelivered, match="on our server") as refused:
            await channel.send(make_message(), "http://127.0.0.1:1/lights")
        await channel.close()

    assert refused.value.permanent
    assert [json.loads(asked.body)["topic"] for asked in service.asked] == ["lights"]


@pytest.mark.parametrize(
    ("changes", "priority"),
    [
        ({"severity": Severity.WARNING}, 2),
        ({"occasion": Occasion.RESOLVED}, 3),
        ({"severity": None, "occasion": None}, 3),
    ],
)
async def test_ntfy_is_as_loud_as_the_alert_is_bad(changes: dict[str, object], priority: int) -> None:
    service = HttpService(http(200))

    await handed_over(ntfy, service, make_message(url=None, text="م" * 3000, **changes))

    asked = json.loads(service.asked[0].body)
    assert asked["priority"] == priority
    assert "actions" not in asked
    assert len(asked["message"].encode()) <= 4096


async def test_telegram_is_told_the_chat_plain_text_and_buttons_that_open_the_page() -> None:
    service = HttpService(http(200))

    await handed_over(telegram, service, make_message(language="fr", text="<b>*x*" * 1000))

    asked = json.loads(service.asked[0].body)
    assert service.asked[0].line.startswith(f"POST /bot{BOT}/sendMessage ")
    assert asked["chat_id"] == "-1001"
    assert len(asked["text"]) == 4096
    assert "parse_mode" not in asked
    assert asked["reply_markup"]["inline_keyboard"][0][1]["url"] == f"{make_message().url}?answer=decline"


@pytest.mark.parametrize(
    ("wanted", "retry_after_s"), [("31", 31.0), ("1e308", 3600.0), ("-1e308", 0.0), ("1e999", None)]
)
async def test_telegram_says_in_the_body_when_it_wants_to_be_asked_again(
    wanted: str, retry_after_s: float | None
) -> None:
    body = f'{{"ok": false, "error_code": 429, "parameters": {{"retry_after": {wanted}}}}}'.encode()

    with pytest.raises(Undelivered) as refused:
        await handed_over(telegram, HttpService(http(429, body)))

    assert (refused.value.retry_after_s, refused.value.permanent) == (retry_after_s, False)


async def test_sms_gateway_gets_number_and_text_encoded_as_a_form() -> None:
    service = HttpService(http(202))

    await handed_over(sms, service, make_message(short="{to} & é=1"))

    assert parse_qs(service.asked[0].body.decode()) == {
        "recipient": ["+9613123456"],
        "message": ["{to} & é=1"],
        "ref": ["delivery-1"],
    }


async def test_sms_gateway_gets_number_and_text_escaped_in_json_and_in_its_address() -> None:
    service = HttpService(http(201))
    async with serving(service):
        gateway = SmsGateway(
            url=service.url + "/{to}",
            method="PUT",
            headers={"content-type": "application/json"},
            body='{"m": "{text}"}',
            success=range(201, 202),
        )
        channel = SmsChannel(gateway)
        await channel.send(make_message(short='"\n\\'), "+96170000000")
        await channel.close()

    assert service.asked[0].line == "PUT /%2B96170000000 HTTP/1.1"
    assert json.loads(service.asked[0].body) == {"m": '"\n\\'}


async def test_secrets_of_the_sms_gateway_are_not_repeated_by_its_answer() -> None:
    service = HttpService(http(401, b"unknown key s3cr3t-key, token t0ken-of-ours"))

    with pytest.raises(Undelivered, match="401") as refused:
        await handed_over(sms, service)

    assert str(refused.value) == f"401 Unauthorized: unknown key {LEFT_OUT}, token {LEFT_OUT}"


def test_signature_is_that_of_the_standards_example() -> None:
    body = b'{"test": 2432232314}'

    signed = signature(secret_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!"]
)
def test_secret_that_is_short_or_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_of(text)


async def test_webhook_is_signed_over_what_is_sent() -> None:
    service = HttpService(http(204))

    await handed_over(webhook, service)

    asked = service.asked[0]
    body = json.loads(asked.body)
    assert asked.headers["webhook-id"] == "delivery-1"
    assert asked.headers["webhook-timestamp"] == "1614265330"
    assert asked.headers["webhook-signature"] == signature(
        secret_of(SECRET), "delivery-1", 1614265330, asked.body
    )
    assert asked.headers["host"] == f"127.0.0.1:{service.port}"
    assert (body["type"], body["timestamp"]) == ("alert.opened", "2021-02-25T15:02:10Z")
    assert body["data"]["alerts"][0]["device"] == "bin-17"


@pytest.mark.parametrize(
    ("build", "to"),
    [
        (webhook, "ftp://example.org"), (webhook, "http://user:pass@example.org"), (webhook, "nonsense"),
        (webhook, "http://[::1"), (ntfy, "a/b"), (ntfy, ""), (telegram, "12; x"), (sms, "12"),
        (sms, "+1\r\n2345"),
    ],
)  # fmt: skip
async def test_address_that_is_none_is_refused_for_good(build: Build, to: str) -> None:
    channel, _ = build("http://127.0.0.1:1", 1.0)

    with pytest.raises(Undelivered) as refused:
        await channel.send(make_message(), to)

    await channel.close()
    assert refused.value.permanent


async def test_channels_do_not_wait_for_one_another() -> None:
    slow, quick = HttpService(b"", hangs=True), HttpService(http(200))
    async with serving(slow), serving(quick):
        hanging, to = ntfy(slow.url, 30.0)
        waiting = asyncio.create_task(hanging.send(make_message(), to))
        channel, other = telegram(quick.url, 5.0)
        assert (await channel.send(make_message(), other)).startswith("200")
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await hanging.close()
        await channel.close()
