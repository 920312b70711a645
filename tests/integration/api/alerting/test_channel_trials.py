"""An administrator tries a channel."""

from __future__ import annotations

import asyncpg
import httpx2
import pytest

from people.roles import Role
from tests.integration.api import builders
from tests.kept_channel import KeptChannel

TRIAL = "/api/v1/notifications/test"


async def test_test_of_a_channel_says_what_the_service_answered(
    client: httpx2.AsyncClient, kept: KeptChannel
) -> None:
    body = {"channel": "email", "to": "amal@example.org", "language": "ar"}

    answer = await client.post(TRIAL, json=body)

    assert (answer.status_code, answer.json()) == (200, {"channel": "email", "answer": "250 kept"})
    ((message, to),) = kept.messages
    assert (to, message.subject, message.occasion) == ("amal@example.org", "نبض: تجربة", None)
    assert message.html
    assert 'dir="rtl"' in message.html


async def test_test_that_is_not_taken_says_why(client: httpx2.AsyncClient, kept: KeptChannel) -> None:
    kept.refuses = "550 no such user"

    refused = await client.post(TRIAL, json={"channel": "email", "to": "nobody@example.org"})
    unknown = await client.post(TRIAL, json={"channel": "pigeon", "to": "x"})

    assert (refused.status_code, "550 no such user" in refused.json()["detail"]) == (409, True)
    assert (unknown.status_code, "channels are: email" in unknown.json()["detail"]) == (404, True)


@pytest.mark.parametrize("where", [{"role": Role.OPERATOR}, {"role": Role.ADMIN, "municipality": "tripoli"}])
async def test_only_an_administrator_of_all_tries_channels(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, kept: KeptChannel, where: dict[str, str]
) -> None:
    await builders.add_town(connection)
    token = await builders.token(connection, "other", **where)

    answer = await client.post(
        TRIAL, json={"channel": "email", "to": "x@y.org"}, headers={"Authorization": f"Bearer {token}"}
    )

    assert (answer.status_code, kept.messages) == (403, [])
