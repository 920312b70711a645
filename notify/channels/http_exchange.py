"""One request to a service over HTTP, and what its answer means for a message.

Redirects are not followed: whoever answers so was given a wrong address. Must not know which service it is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Container, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus

import httpx2

from notify.channels import certificates
from notify.channels.left_out import without_address
from notify.message import Undelivered

TIMEOUT_S = 10.0
MOST_OF_ANSWER = 4096
"""Bytes of an answer that are read; what follows is not waited for."""
LONGEST_RETRY_AFTER_S = 3600.0
"""A service that wants to be left alone for longer is asked again after it: nobody may stop what is told."""
SHOWN_OF_ANSWER = 200
"""Characters of an answer's body that are kept with the delivery."""
DONE = range(200, 300)
_LATER = frozenset({408, 421, 425, 429})
"""Refusals that may pass; every other one below 500 stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAnswer:
    """What a service answered: a status, its headers, and the beginning of the body."""

    status: int
    headers: httpx2.Headers
    body: bytes


def new_client(
    *, by_proxy: bool = True, tls: ssl.SSLContext | None = None, kept: int = 64
) -> httpx2.AsyncClient:
    """Return a client that follows no redirects.

    Args:
        by_proxy: through the proxy that the environment names.
        tls: which certificates are believed; None: those of the machine.
        kept: how many connections stay open for the next requests.
    """
    limits = httpx2.Limits(max_connections=64, max_keepalive_connections=kept)
    return httpx2.AsyncClient(
        verify=tls or certificates.of_machine(),
        follow_redirects=False,
        trust_env=by_proxy,
        limits=limits,
        timeout=None,  # the whole exchange has one
    )


async def exchange(
    client: httpx2.AsyncClient, request: httpx2.Request, *, timeout_s: float = TIMEOUT_S
) -> ServiceAnswer:
    """Send a request and return the answer; once the status is there, a body cut off is no failure.

    Raises:
        Undelivered: there was no answer in time; where the request had been sent, it may have arrived.
    """
    response: httpx2.Response | None = None
    sent = asyncio.Event()
    request.extensions["trace"] = partial(_note_sent, sent)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            response = await client.send(request, stream=True)
            async for part in response.aiter_raw():
                body += part
                if len(body) >= MOST_OF_ANSWER:
                    break
    except TimeoutError:
        if response is None:
            raise Undelivered(f"no answer within {timeout_s:g} s", may_have_arrived=sent.is_set()) from None
    except httpx2.HTTPError as error:
        if response is None:
            # Its text may hold the address, and that a secret.
            raise Undelivered(f"no answer: {type(error).__name__}", may_have_arrived=sent.is_set()) from None
    finally:
        if response is not None:
            await response.aclose()
    return ServiceAnswer(
        status=response.status_code, headers=response.headers, body=bytes(body[:MOST_OF_ANSWER])
    )


async def _note_sent(sent: asyncio.Event, step: str, _about: Mapping[str, object]) -> None:
    """Set `sent` when the body of a request is on its way, at the steps that the client names."""
    if step.endswith("send_request_body.started"):
        sent.set()


def accepted(
    answer: ServiceAnswer, to: str, *, expected: Container[int] = DONE, status_only: bool = False
) -> str:
    """Return the answer of a service that took the message, without the receiver's address.

    Args:
        answer: of the service.
        to: the receiver's address.
        expected: the statuses that say that it was taken.
        status_only: of a service that repeats receiver and message when it took them.

    Raises:
        Undelivered: it did not.
    """
    if answer.status in expected and status_only:
        return _status(answer)
    said = described(answer, to)
    if answer.status in expected:
        return said
    raise Undelivered(
        said,
        permanent=answer.status < 500 and answer.status not in _LATER,
        retry_after_s=retry_after_s(answer.headers),
    )


def described(answer: ServiceAnswer, to: str) -> str:
    """Return an answer in one line: its status and the beginning of the body, without the address `to`."""
    text = without_address(answer.body.decode("utf-8", "replace"), to)
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:SHOWN_OF_ANSWER]
    return f"{_status(answer)}: {shown}" if shown else _status(answer)


def _status(answer: ServiceAnswer) -> str:
    known = answer.status in {one.value for one in HTTPStatus}
    return f"{answer.status} {HTTPStatus(answer.status).phrase}" if known else str(answer.status)


def retry_after_s(headers: httpx2.Headers) -> float | None:
    """Return after how many seconds a service wants to be asked again; a date counts from the answer's.

    It is within `bounded`.
    """
    wanted = headers.get("retry-after", "").strip()
    if wanted.isascii() and wanted.isdigit():
        return bounded(float(wanted))
    try:
        later = parsedate_to_datetime(wanted) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return None
    return bounded(later.total_seconds())


def bounded(wanted_s: float) -> float:
    """Return a pause in seconds that a service wants as one of 0 to LONGEST_RETRY_AFTER_S."""
    return max(0.0, min(wanted_s, LONGEST_RETRY_AFTER_S))
