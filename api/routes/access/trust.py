"""The authority of this installation, for phones that are to trust it, with how that is done.

Open to everybody: a phone cannot sign in before it trusts. A certificate says nothing that is secret.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from api.context import UsesContext
from api.http.problems import Problem
from devices.credentials.authority import fingerprint_of, spelt

router = APIRouter(tags=["sign-in"])

MEDIA_TYPE = "application/x-x509-ca-cert"
FINGERPRINT = b'<code class="fingerprint">'
SHOWN, HIDDEN = b'<section class="%s">', b'<section class="%s" hidden>'


@router.get("/trust", response_class=HTMLResponse, summary="How a phone comes to trust this installation")
async def show(context: UsesContext) -> Response:
    """Show the steps for Android and iOS, and the fingerprint to compare; or that nothing is to be done."""
    found = await asyncio.to_thread(_authority, context.authority)
    left_out = b"none" if found else b"own"
    page = context.trust_page.replace(SHOWN % left_out, HIDDEN % left_out)
    if found:
        page = page.replace(FINGERPRINT, FINGERPRINT + spelt(fingerprint_of(found)).encode())
    return HTMLResponse(page)


@router.get(
    "/trust/authority.crt",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "the certificate (DER)"},
        404: {"description": "this installation has no authority of its own"},
    },
    summary="The certificate of this installation's authority",
)
async def fetch(context: UsesContext) -> Response:
    """Return what a phone installs."""
    found = await asyncio.to_thread(_authority, context.authority)
    if found is None:
        raise Problem(404, "not-found", "no authority of its own: `nabd tls init` makes one")
    headers = {"Content-Disposition": 'attachment; filename="nabd-authority.crt"'}
    return Response(found.public_bytes(Encoding.DER), media_type=MEDIA_TYPE, headers=headers)


def _authority(path: Path | None) -> x509.Certificate | None:
    if path is None:
        return None
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None  # doctor tells what is wrong with it (N202)
