"""Messages to browsers: a push service on loopback takes them, a browser's keys read them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from devices.texts.catalogue import text
from nabd.cli import app
from notify.channels.public_address import listed
from notify.channels.vapid import vapid_key
from notify.channels.web_push import WebPushChannel
from notify.message import Occasion, Undelivered
from notify.routing import load
from people.browsers import subscriptions
from people.browsers.subscriptions import NewPushSubscription, PushSubscription
from people.editing import NewPerson, add_person, edit_person
from people.identity import of_texts
from store.audit import PLATFORM
from store.pool import open_pool
from tests.unit.notify.builders import make_message
from tests.unit.notify.channels.services import HttpRequest, HttpService, http, serving

NOW = 1_780_000_000_000_000
CONTACT = "mailto:ops@tripoli.example"


class StubBrowser:
    """The keys of a browser, and what it reads with them."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    @property
    def point(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def at(self, endpoint: str) -> NewPushSubscription:
        """Return what it subscribed with."""
        point, auth = (base64.urlsafe_b64encode(key).decode().rstrip("=") for key in (self.point, self.auth))
        return NewPushSubscription(endpoint=endpoint, browser="Firefox, Android", p256dh=point, auth=auth)

    def read(self, body: bytes) -> Any:
        """Return what a message says (RFC 8291)."""
        salt, theirs, sealed = body[:16], body[21:86], body[86:]
        assert body[16:21] == b"\x00\x00\x10\x00\x41"
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self.private.exchange(ec.ECDH(), point)

        def derived(secret: bytes, salted: bytes, info: bytes, length: int) -> bytes:
            return HKDF(SHA256(), length, salted, info).derive(secret)

        secret = derived(shared, self.auth, b"WebPush: info\0" + self.point + theirs, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain.endswith(b"\x02")
        return json.loads(plain[:-1])


def proven(request: HttpRequest) -> dict[str, Any]:
    """Return the claims of a request whose signature is that of the key it names."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    point = base64.urlsafe_b64decode(parts["k"] + "=")
    x, y = (base64.urlsafe_b64encode(one).decode().rstrip("=") for one in (point[1:33], point[33:]))
    key = ECKey.import_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    return {**jwt.decode(parts["t"], key, algorithms=["ES256"]).claims, "key": parts["k"]}


@pytest.fixture
async def service() -> AsyncIterator[HttpService]:
    """A push service that takes everything."""
    async with serving(HttpService(http(201))) as service:
        yield service


def channel_to(dsn: str, *targets: str) -> WebPushChannel:
    """Return the channel, which may also call these."""
    return WebPushChannel(
        partial(open_pool, dsn, min_size=0, max_size=2),
        lambda: NOW,
        contact=CONTACT,
        targets=listed(targets),
        timeout_s=0.5,
    )


async def subscribed(
    connection: asyncpg.Connection, browser: StubBrowser, endpoint: str, name: str = "rima"
) -> PushSubscription:
    """Return a browser of somebody."""
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM person WHERE name = $1)", name):
        new = NewPerson(name=name, grants=sorted(of_texts(["viewer"]), key=str))
        await add_person(connection, new, NOW, by=PLATFORM)
    return await subscriptions.subscribe(connection, name, browser.at(endpoint), by=PLATFORM, now=NOW)


async def test_a_browser_reads_what_its_push_service_cannot_until_it_is_gone(
    dsn: str, connection: asyncpg.Connection, service: HttpService
) -> None:
    browser, other = StubBrowser(), StubBrowser()
    one = await subscribed(connection, browser, f"{service.url}/wpush/1")
    await subscribed(connection, other, f"{service.url}/wpush/other", "samir")
    channel = channel_to(dsn, "127.0.0.0/8")

    async def refusal(answer: bytes, *, hangs: bool = False) -> Undelivered:
        service.answer, service.hangs = answer, hangs
        with pytest.raises(Undelivered) as refused:
            await channel.send(make_message(), f"#{one.id}")
        service.hangs = False
        return refused.value

    try:
        answer = await channel.send(make_message(), f"#{one.id}")
        (asked,) = service.asked
        assert answer == "201 Created"
        assert asked.line == "POST /wpush/1 HTTP/1.1"
        assert browser.read(asked.body) == {
            "title": "Critical: Bin bin-17 is 97 % full, Nejmeh Square",
            "body": "Bin bin-17 is 97 % full\nSince 15:00.",
            "url": "/alerts/7",
            "tag": "alert-7",
            "severity": "critical",
        }
        wanted = {"ttl": "86400", "urgency": "high", "content-encoding": "aes128gcm"}
        assert {name: asked.headers[name] for name in wanted} == wanted
        assert len(asked.headers["topic"]) <= 32
        claims = proven(asked)
        assert claims["key"] == (await vapid_key(connection, NOW)).public
        assert (claims["aud"], claims["sub"]) == (service.url, CONTACT)
        assert 0 < claims["exp"] - NOW // 1_000_000 <= 86_400

        await channel.send(make_message(occasion=Occasion.RESOLVED), "rima")
        assert service.asked[-1].headers["urgency"] == "normal"
        assert len(service.asked) == 2, "a name means the browsers of its person alone"

        busy = await refusal(http(429, Retry_After="7"))
        broken = await refusal(http(500))
        silent = await refusal(http(201), hangs=True)
        assert [r.permanent for r in (busy, broken, silent)] == [False] * 3
        assert busy.retry_after_s == 7
        assert silent.may_have_arrived
        (kept,) = await subscriptions.list_of(connection, one.person_id)
        assert kept.failed_at is not None

        service.answer = http(201)
        await channel.send(make_message(), "rima")
        (kept,) = await subscriptions.list_of(connection, one.person_id)
        assert (kept.failed_at, kept.last_used_at is not None) == (None, True)

        # The first of two cannot be reached, the second may take it later: it is tried again.
        for endpoint in ("http://[::1]:9/1", f"{service.url}/wpush/3"):
            await subscribed(connection, browser, endpoint)
        await connection.execute("DELETE FROM push_subscription WHERE id = $1", one.id)
        service.answer = http(500)
        with pytest.raises(Undelivered) as later:
            await channel.send(make_message(), "rima")
        assert not later.value.permanent
        await connection.execute("DELETE FROM push_subscription WHERE person_id = $1", one.person_id)
        one = await subscribed(connection, browser, f"{service.url}/wpush/1")

        gone = await refusal(http(410))
        nowhere = await refusal(http(201))
        assert (gone.permanent, nowhere.permanent) == (True, True)
        assert "no browser" in str(nowhere)
        assert await subscriptions.list_of(connection, one.person_id) == []
        row = await connection.fetchrow("SELECT * FROM audit WHERE action = 'person.push-unsubscribe'")
        assert row is not None
        assert row["before"]["gone"] is True
    finally:
        await channel.close()


async def test_people_lead_us_to_no_address_within(
    dsn: str, connection: asyncpg.Connection, service: HttpService
) -> None:
    await subscribed(connection, StubBrowser(), f"{service.url}/wpush/1")
    channel = channel_to(dsn)

    with pytest.raises(Undelivered, match="no public address, and not listed") as refused:
        await channel.send(make_message(), "rima")
    await channel.close()

    assert refused.value.permanent
    assert service.asked == []


async def test_the_command_tries_it_by_the_name_of_a_person(
    dsn: str, connection: asyncpg.Connection, service: HttpService, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = StubBrowser()
    await subscribed(connection, browser, f"{service.url}/wpush/1")
    monkeypatch.setenv("NABD_DATABASE", dsn)
    monkeypatch.setenv("NABD_WEB_PUSH_TARGETS", '["127.0.0.1"]')
    command = ["notify", "test", "--channel", "web-push", "--language", "ar", "--to"]

    tried, refused = [
        await asyncio.to_thread(CliRunner().invoke, app, [*command, name]) for name in ("rima", "samir")
    ]

    assert (tried.exit_code, refused.exit_code) == (0, 1), tried.output
    (asked,) = service.asked
    assert browser.read(asked.body)["title"] == text("ar", "notice.trial")


async def test_browsers_are_addresses_of_the_channel_when_people_are_told(
    connection: asyncpg.Connection,
) -> None:
    before = await load.generation(connection)
    one = await subscribed(connection, StubBrowser(), "https://push.example.org/1")
    two = await subscribed(connection, StubBrowser(), "https://push.example.org/2")
    after = await load.generation(connection)
    steps = {"steps": [{"channel": "web-push", "after_s": 60}]}
    await edit_person(connection, "rima", steps, NOW, by=PLATFORM)

    rima = (await load.load(connection)).receivers[one.person_id]

    assert before != after
    assert rima.addresses == {"web-push": (f"#{one.id}", f"#{two.id}")}
    assert rima.steps == (("web-push", 60.0),)
    await subscriptions.forget(connection, two, NOW)
    assert await load.generation(connection) != after
