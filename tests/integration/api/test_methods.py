"""Methods that an address does not take: the answer says all those that it does."""

from __future__ import annotations

import httpx2
import pytest


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/v1/rules/r", "GET, PUT"),
        ("/api/v1/rules/r/shadow", "DELETE, GET, PUT"),
        ("/api/v1/devices", "GET, POST"),
        ("/api/v1/devices/d", "GET, PATCH"),
        ("/api/v1/devices/import", "POST"),
        ("/api/v1/alerts/acknowledge", "POST"),
        ("/api/v1/maintenance", "GET, POST"),
        ("/signin", "GET, POST"),
    ],
)
async def test_allow_names_every_method_of_the_address(
    client: httpx2.AsyncClient, path: str, allowed: str
) -> None:
    answer = await client.request("TRACE", path)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed


async def test_a_word_is_not_taken_for_a_number(client: httpx2.AsyncClient) -> None:
    answers = {
        path: (await client.get(path)).status_code
        for path in (
            "/api/v1/alerts/acknowledge",
            "/api/v1/alerts/unacknowledge",
            "/api/v1/alerts/word",
            "/api/v1/alerts/-1",
            "/api/v1/alerts/" + "9" * 5000,
            "/api/v1/alerts/" + "9" * 19,
            "/api/v1/work-orders/word/photos/word",
            "/api/v1/maintenance/word",
        )
    }

    assert list(answers.values()) == [405, 405, 404, 404, 404, 422, 404, 404]


async def test_the_document_names_numbers_without_their_form(client: httpx2.AsyncClient) -> None:
    paths = (await client.get("/api/v1/openapi.json")).json()["paths"]

    assert "/api/v1/alerts/{alert_id}" in paths
    assert not [path for path in paths if ":" in path]
