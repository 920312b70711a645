"""The provider of identities that the settings name."""

from __future__ import annotations

from api.oidc.provider import OidcClient, OidcProvider
from nabd.settings import Settings
from people.identity import Grant


def provider_of(settings: Settings) -> OidcProvider | None:
    """Return the provider where people may sign in, None where none is named."""
    if not settings.oidc_issuer:
        return None
    roles = {
        group: [Grant(role=one.role, municipality=one.municipality) for one in several]
        for group, several in settings.oidc_roles.items()
    }
    client = OidcClient(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=settings.oidc_client_secret,
        groups_claim=settings.oidc_groups_claim,
        roles=roles,
        name=settings.oidc_name,
    )
    return OidcProvider(client)
