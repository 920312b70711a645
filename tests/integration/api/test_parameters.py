"""Query parameters that an address does not have: refused, with what was probably meant."""

from __future__ import annotations

import httpx2
import pytest


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        (
            "/api/v1/alerts?severty=critical",
            "'severty' is no parameter of this address; did you mean 'severity'?",
        ),
        (
            "/api/v1/devices?limit=5&kinds=bin",
            "'kinds' is no parameter of this address; did you mean 'kind'?",
        ),
        ("/api/v1/kinds?language=ar", "'language' is no parameter of this address; known: none yet"),
    ],
)
async def test_unknown_parameter_is_refused(client: httpx2.AsyncClient, address: str, meant: str) -> None:
    answer = await client.get(address)

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["detail"].startswith(meant)
    assert [error["in"] for error in problem["errors"]] == ["query"]


@pytest.mark.parametrize(
    "address", ["/api/v1/alerts?severity=critical&limit=5", "/?utm_source=mail", "/healthz?x=1"]
)
async def test_known_parameters_and_those_of_pages_are_taken(
    client: httpx2.AsyncClient, address: str
) -> None:
    assert (await client.get(address)).status_code == 200


async def test_of_thousands_of_unknown_parameters_ten_are_named(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/alerts?" + "&".join(f"x{n}=1" for n in range(2_000)))

    assert (answer.status_code, len(answer.json()["errors"])) == (422, 10)
