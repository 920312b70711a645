"""Whether the provider of identities answers as one, and shows its keys."""

from __future__ import annotations

from devices.texts.translated import say
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
        return bad("oidc", say("check.oidc_refused", error=str(refused)), say("check.correct_issuer"))
    return fine("oidc", say("check.oidc_answers", issuer=str(settings.oidc_issuer), n=len(keys.keys)))
