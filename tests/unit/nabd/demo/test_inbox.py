"""The demo inbox: what channels hand over stands on its page, escaped, as its reader reads, with buttons."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

import httpx2

from nabd.channels import channels_of
from nabd.demo.inbox.answering import InboxPhone
from nabd.demo.inbox.mail import catching_mail
from nabd.demo.inbox.messages import Inbox
from nabd.demo.inbox.serving import InboxAddress, open_listener, serving_page
from nabd.demo.inbox.site import InboxSite
from nabd.demo.town_inbox import readers_of
from nabd.settings import Settings
from notify.message import NotificationChannel
from tests.unit.notify.builders import make_message
from tests.unit.notify.channels.services import HttpService, http, serving

NOW = 1_780_315_200_000_000
"""2026-06-01 12:00Z."""
TOWN = {"en": "Tripoli", "fr": "Tripoli", "ar": "طرابلس"}
LINK = "/answer/7-1780920000-AAAAAAAAAAAAAAAAAAAAAA"


@asynccontextmanager
async def open_inbox(
    public_url: str = "http://127.0.0.1:9",
) -> AsyncIterator[tuple[Inbox, dict[str, NotificationChannel], httpx2.AsyncClient]]:
    """Run an inbox, the channels that end in it, and a browser on its page."""
    inbox = Inbox(readers_of("tripoli"), lambda: NOW, public_url=public_url)
    async with catching_mail(inbox) as port, InboxPhone(inbox, base=public_url, token="t") as phone:
        address = InboxAddress(listener=open_listener(), mail_port=port)
        site = InboxSite(inbox, phone, town=TOWN, time_zone=ZoneInfo("Asia/Beirut"))
        own = Settings(_env_file=None)  # type: ignore[call-arg]  # pydantic-settings' own
        settings = address.pointed_at(own, sender="nabd@tripoli.example", public_url=public_url)
        channels = channels_of(settings, lambda: NOW)
        async with (
            serving_page(site.app, address.listener),
            httpx2.AsyncClient(base_url=address.url, trust_env=False) as browser,
        ):
            try:
                yield inbox, channels, browser
            finally:
                for channel in channels.values():
                    await channel.close()


async def test_inbox_shows_what_every_channel_hands_over_newest_first_and_escaped() -> None:
    evil = make_message(language="ar", subject="<script>alert(1)</script>", text="امتلأت الحاوية & <b>")

    async with open_inbox() as (inbox, channels, browser):
        await channels["email"].send(evil, "rana@tripoli.example")
        await channels["ntfy"].send(make_message(), "tripoli-omar")
        await channels["sms"].send(make_message(short="Plein: 48213", language="fr"), "+961 70 555 103")
        await channels["webhook"].send(make_message(), str(browser.base_url.join("/webhook/maya")))
        page = await browser.get("/", params={"lang": "ar"})
        only = await browser.get("/", params={"lang": "fr", "to": "georges"})

    assert [m.channel for m in inbox.newest_first()] == ["webhook", "sms", "ntfy", "email"]
    assert [m.reader and m.reader.name for m in inbox.newest_first()] == ["maya", "georges", "omar", "rana"]
    assert '<html lang="ar" dir="rtl">' in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script>alert" not in page.text
    assert 'class="email" lang="ar" dir="rtl"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "48213" in only.text
    assert "امتلأت" not in only.text


async def test_inbox_answers_by_the_signed_link_and_by_sms_once_its_own_buttons_are_pressed() -> None:
    async with (
        serving(HttpService(http(200, b"{}"))) as api,
        open_inbox(api.url) as (inbox, channels, browser),
    ):
        await channels["ntfy"].send(make_message(url=f"{api.url}{LINK}"), "tripoli-omar")
        await channels["sms"].send(make_message(short="Lamp dark. Reply 48213"), "+96170555102")
        other = await browser.post(
            "/messages/1/answer", data={"answer": "decline"}, headers={"Origin": "http://elsewhere.example"}
        )
        assert api.asked == []
        own = {"Origin": str(browser.base_url).rstrip("/")}
        await browser.post("/messages/1/answer", data={"answer": "decline"}, headers=own)
        await browser.post("/messages/2/reply", data={"text": "no 48213"}, headers=own)

    assert other.status_code == 403
    assert [(asked.line.split()[1], asked.body) for asked in api.asked] == [
        (LINK, b"answer=decline"),
        ("/api/v1/answers/sms", b'{"from":"+96170555102","text":"no 48213"}'),
    ]
    assert [message.answered for message in inbox.newest_first()] == [True, True]


async def test_inbox_says_why_an_answer_does_not_count() -> None:
    refusal = http(409, b'{"detail": "You have answered already."}', Content_Type="application/json")
    async with serving(HttpService(refusal)) as api, open_inbox(api.url) as (inbox, channels, browser):
        await channels["ntfy"].send(make_message(url=f"{api.url}{LINK}"), "tripoli-omar")
        own = {"Origin": str(browser.base_url).rstrip("/")}
        await browser.post("/messages/1/answer", data={"answer": "acknowledge"}, headers=own)
        page = await browser.get("/")

    assert "You have answered already." in page.text
    assert "<button" not in page.text
    assert not inbox.newest_first()[0].answered


async def test_inbox_takes_nothing_from_a_browser_nor_by_another_name() -> None:
    async with open_inbox() as (inbox, _, browser):
        forged = await browser.post(
            "/ntfy", content=b'{"topic": "x"}', headers={"Origin": "http://a.example"}
        )
        renamed = await browser.get("/", headers={"Host": "a.example"})

    assert (forged.status_code, renamed.status_code) == (403, 400)
    assert inbox.newest_first() == []
