"""A phone that is to trust this installation gets its authority, and is told how."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import httpx2
import pytest
from cryptography import x509

from api.app import create_app
from devices.credentials.authority import fingerprint_of, new_authority
from tests.integration.api import builders


async def asked(pool: asyncpg.Pool, authority: Path | None) -> tuple[httpx2.Response, httpx2.Response]:
    """Return the page and the certificate, as a stranger gets them."""
    app = create_app(
        pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True, authority=authority
    )
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="https://nabd.example.org") as phone:
        return await phone.get("/trust"), await phone.get("/trust/authority.crt")


async def test_phone_gets_the_authority_and_the_steps_in_three_languages(
    pool: asyncpg.Pool, tmp_path: Path
) -> None:
    made = new_authority("Tripoli", builders.NOON)
    (tmp_path / "authority.pem").write_bytes(made.certificate)
    own = x509.load_pem_x509_certificate(made.certificate)

    page, certificate = await asked(pool, tmp_path / "authority.pem")

    assert certificate.headers["content-type"] == "application/x-x509-ca-cert"
    assert x509.load_der_x509_certificate(certificate.content) == own
    shown = page.text.partition('<code class="fingerprint">')[2].partition("<")[0]
    assert shown.replace(":", "").lower() == fingerprint_of(own)
    assert '<section class="none" hidden>' in page.text
    for words in ("Trust this installation", "Faire confiance", "الثقة بهذه المنصة"):
        assert words in page.text


@pytest.mark.parametrize("there", [None, "nothing", "junk"])
async def test_installation_without_an_authority_says_that_nothing_is_to_be_done(
    pool: asyncpg.Pool, tmp_path: Path, there: str | None
) -> None:
    if there == "junk":
        (tmp_path / there).write_bytes(b"junk")

    page, certificate = await asked(pool, None if there is None else tmp_path / there)

    assert (page.status_code, certificate.status_code) == (200, 404)
    assert '<section class="own" hidden>' in page.text
    assert "nabd tls init" in certificate.json()["detail"]
