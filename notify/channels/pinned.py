"""Requests to addresses that others chose: judged once, and sent to what was judged.

The certificate is checked for the name, the connection made to the address. Must not know what is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx2

from notify.channels.public_address import ListedTargets, Resolve, judged_address
from notify.message import Undelivered


def url_of(text: str) -> httpx2.URL:
    """Return an address of http or https with a host and without a password.

    Raises:
        Undelivered: it is none.
    """
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        raise Undelivered("the address is no URL", permanent=True) from None
    if url.scheme not in ("http", "https") or not url.host or url.userinfo:
        raise Undelivered("the address is not http:// or https:// and a host", permanent=True)
    return url


async def judged(url: httpx2.URL, *, targets: ListedTargets, resolve: Resolve, timeout_s: float) -> str:
    """Return the network address of a URL's host.

    Raises:
        Undelivered: it has none in time, or one that may not be called.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        async with asyncio.timeout(timeout_s):
            return await judged_address(url.host, port, targets=targets, resolve=resolve)
    except TimeoutError:
        raise Undelivered(f"{url.host} was not resolved within {timeout_s:g} s") from None


def pinned_post(
    client: httpx2.AsyncClient, url: httpx2.URL, address: str, headers: Mapping[str, str], body: bytes
) -> httpx2.Request:
    """Return a POST to a URL at the network address that was judged."""
    return client.build_request(
        "POST",
        url.copy_with(host=address),
        content=body,
        headers={"Host": url.netloc.decode("ascii"), "User-Agent": "Nabd", **headers},
        extensions={"sni_hostname": url.host},
    )
