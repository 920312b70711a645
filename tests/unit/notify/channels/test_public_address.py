"""Webhooks reach public addresses, and what an administrator lists."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from pathlib import Path

import pytest

from notify.channels.public_address import Resolve, is_public, judged_address, listed
from notify.channels.webhook import WebhookChannel
from notify.message import Undelivered
from tests.unit.notify.builders import make_message
from tests.unit.notify.channels.services import HttpService, http, serving
from tests.unit.notify.channels.throwaway_certificates import contexts

PRIVATE = [
    "127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
    "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:0a00:0001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(Undelivered, match="no public address") as refused:
        await judged_address("x.example", 80, targets=listed([]), resolve=answering(address))

    assert refused.value.permanent


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_address_is_one(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


async def test_name_with_one_address_that_is_not_public_is_refused_whole() -> None:
    with pytest.raises(Undelivered):
        await judged_address(
            "x.example", 80, targets=listed([]), resolve=answering("93.184.216.34", "10.0.0.1")
        )


@pytest.mark.parametrize("text", ["10.0.0.0/8", "10.0.0.1", "Node-Red.example", "fd00::/8"])
async def test_listed_host_or_network_is_allowed(text: str) -> None:
    addresses = ["fd00::1"] if text == "fd00::/8" else ["10.0.0.1"]

    judged = await judged_address(
        "node-red.example", 80, targets=listed([text]), resolve=answering(*addresses)
    )

    assert judged == addresses[0]


@pytest.mark.parametrize("text", ["10.0.0.0/99", "", "http://x", "10.0.0.1/8"])
def test_list_with_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no host, address or network"):
        listed([text])


async def test_name_without_an_address_may_get_one_later() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(Undelivered, match="has no address") as failed:
        await judged_address("x.example", 80, targets=listed([]), resolve=nobody)

    assert not failed.value.permanent


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
async def test_name_that_can_be_none_is_refused_for_good(host: str) -> None:
    channel = WebhookChannel(b"x" * 24, lambda: 0)

    with pytest.raises(Undelivered) as refused:
        await channel.send(make_message(), f"http://{host}/")

    await channel.close()
    assert refused.value.permanent


async def test_connection_is_made_to_the_address_that_was_judged() -> None:
    """The name itself leads nowhere: whoever resolves it again cannot connect."""
    service = HttpService(http(200))
    async with serving(service):
        channel = WebhookChannel(
            b"x" * 24, lambda: 0, targets=listed(["hook.invalid"]), resolve=answering("127.0.0.1")
        )
        await channel.send(make_message(), f"http://hook.invalid:{service.port}/a?b=c")
        await channel.close()

    assert service.asked[0].line == "POST /a?b=c HTTP/1.1"
    assert service.asked[0].headers["host"] == f"hook.invalid:{service.port}"


async def test_two_names_at_one_address_share_no_connection() -> None:
    """A kept connection was made, and its certificate checked, for the name before."""
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while head := await reader.read(65536):
            if b"POST" in head:
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    targets = listed(["127.0.0.0/8"])
    channel = WebhookChannel(b"x" * 24, lambda: 0, targets=targets, resolve=answering("127.0.0.1"))

    for name in ("one.example", "other.example"):
        await channel.send(make_message(), f"http://{name}:{port}/")

    await channel.close()
    server.close()
    for one in connections:
        one.close()
        await one.wait_closed()
    assert len(connections) == 2


def answering(*addresses: str) -> Resolve:
    """Return a resolver that knows these addresses for any name."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def test_certificate_is_that_of_the_name_not_of_the_address(tmp_path: Path) -> None:
    service = HttpService(http(200))
    offered, believed = contexts(tmp_path, "hook.example")
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=offered)
    port = server.sockets[0].getsockname()[1]
    channel = WebhookChannel(
        b"x" * 24,
        lambda: 0,
        targets=listed(["127.0.0.0/8"]),
        resolve=answering("127.0.0.1"),
        tls=believed,
    )

    await channel.send(make_message(), f"https://hook.example:{port}/")
    with pytest.raises(Undelivered, match="no answer"):
        await channel.send(make_message(), f"https://other.example:{port}/")

    await channel.close()
    server.close()
    assert len(service.asked) == 1
