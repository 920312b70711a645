"""What is large is sent compressed to whoever takes that; a page over a slow network depends on it."""

from __future__ import annotations

import httpx2
import pytest

PAGES = ["/", "/console/shell/frame.js", "/console/texts/queue.json", "/api/v1/kinds"]


@pytest.mark.parametrize("path", PAGES)
async def test_page_its_scripts_and_lists_are_sent_compressed(client: httpx2.AsyncClient, path: str) -> None:
    packed = await client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})

    assert (packed.headers["content-encoding"], "content-encoding" in plain.headers) == ("gzip", False)
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 2


async def test_reader_who_has_a_script_is_not_sent_it_again(client: httpx2.AsyncClient) -> None:
    first = await client.get("/console/shell/frame.js")
    again = await client.get("/console/shell/frame.js", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
