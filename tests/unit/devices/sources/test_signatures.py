"""Who knows the secret of a webhook: four ways to show it, and what is none."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from devices.sources.signatures import SLACK_S, knows, new_secret, weakness

SECRET, BODY, NOW_S = "correct horse battery", b'{"a":1}', 1_772_353_800.0


def signed(secret: bytes, at: float = NOW_S, body: bytes = BODY, name: str = "msg_1") -> dict[str, str]:
    """Return the headers of Standard Webhooks."""
    made = hmac.new(secret, f"{name}.{at:.0f}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": f"{at:.0f}",
        "webhook-signature": f"v1a,xxx v1,{base64.b64encode(made).decode()}",
    }


def hub(secret: bytes, body: bytes = BODY) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}"}


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"tts:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [{"authorization": f"Bearer {SECRET}"}, basic(SECRET), hub(SECRET.encode()), signed(SECRET.encode())],
)
def test_who_shows_it_or_signs_with_it_knows_it(headers: dict[str, str]) -> None:
    assert knows(SECRET, headers, BODY, NOW_S)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer another"},
        {"authorization": "Basic %%%"},
        {"authorization": f"Token {SECRET}"},
        basic("another"),
        hub(b"another"),
        hub(SECRET.encode(), b'{"a":2}'),
        {"x-hub-signature-256": ""},
        signed(b"another"),
        signed(SECRET.encode(), body=b"{}"),
        signed(SECRET.encode(), NOW_S - SLACK_S - 1),
        signed(SECRET.encode(), NOW_S + SLACK_S + 1),
        signed(SECRET.encode()) | {"webhook-id": "msg_2"},
        signed(SECRET.encode()) | {"webhook-timestamp": "soon"},
        {"authorization": "Bearer another"} | hub(SECRET.encode()),
        {"x-hub-signature-256": "sha256=é"},
    ],
)
def test_whoever_else_does_not(headers: dict[str, str]) -> None:
    assert not knows(SECRET, headers, BODY, NOW_S)


def test_no_secret_is_known_by_nobody() -> None:
    assert not knows("", {"authorization": "Bearer "}, BODY, NOW_S)
    assert not knows("", hub(b""), BODY, NOW_S)


def test_a_secret_may_be_written_as_standard_webhooks_do() -> None:
    key = bytes(range(24))

    assert knows("whsec_" + base64.b64encode(key).decode(), signed(key), BODY, NOW_S)


@pytest.mark.parametrize(
    "secret", ["", "x", "x" * 15, "whsec_", "whsec_AAAAAAAAAAAAAAAA", "whsec_no base64 at all"]
)
def test_a_secret_that_can_be_guessed_is_known_by_nobody(secret: str) -> None:
    assert weakness(secret)
    for key in (b"", secret.encode(), base64.b64decode("AAAAAAAAAAAAAAAA")):
        assert not knows(secret, signed(key), BODY, NOW_S)
    assert not knows(secret, {"authorization": f"Bearer {secret}"}, BODY, NOW_S)


def test_a_secret_that_is_made_is_a_key_of_standard_webhooks_and_no_two_are_alike() -> None:
    made = new_secret()

    assert weakness(made) == ""
    assert knows(made, signed(base64.b64decode(made.removeprefix("whsec_"))), BODY, NOW_S)
    assert made != new_secret()
