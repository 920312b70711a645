"""Whether the provider of identities answers as one, and shows its keys."""

from __future__ import annotations

from nabd.doctor.check import CheckResult, bad, fine
from nabd.settings import Settings


async def check(settings: Settings) -> CheckResult:
    """Ask the provider what it says of itself, and for its keys."""
    # Not above: without a provider `nabd doctor` starts without them.
    from nabd.oidc import provider_of
    from people.oidc.claims import OidcRefused

    provider = provider_of(settings)
    assert provider is not None
    try:
        keys = await provider.keys()
    except OidcRefused as refused:
        return bad("oidc", str(refused), "correct NABD_OIDC_ISSUER, or mend the way there")
    return fine("oidc", f"{settings.oidc_issuer} answers and shows {len(keys.keys)} keys")
