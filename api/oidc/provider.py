"""The provider of identities that is configured: where it sends browsers, and who comes back from it.

Only addresses that its issuer names are asked, 5 s each, and redirects are not followed. Must not know people
or sessions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc.jwk import KeySet

from api.oidc import id_token
from api.oidc.addresses import is_loopback_name, may_be_asked
from api.oidc.id_token import UnknownKey
from people.oidc.claims import OidcClaims, OidcRefused, Reason, Roles, claims_of
from people.oidc.starts import OidcStart

TIMEOUT_S = 5.0
METADATA_FOR_S = 3600.0
AGAIN_AFTER_S = 3.0
"""How long a provider that did not answer is not asked again: nobody needs an identity to ask for it."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """What this installation is at a provider. name: what people call the provider.

    secret: empty for a public client. groups_claim: where a person's groups stand. roles: what groups may do.
    """

    issuer: str
    client_id: str
    secret: str
    groups_claim: str
    roles: Roles
    name: str


class OidcProvider:
    """One per application; remembers what the issuer says of itself."""

    def __init__(self, client: OidcClient, *, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self.client = client
        self._elapsed_s = elapsed_s
        self._asking = asyncio.Lock()
        self._metadata: dict[str, Any] = {}
        self._good_until_s = 0.0
        self._away: tuple[float, str] | None = None
        self._keys: KeySet | None = None

    async def metadata(self) -> Mapping[str, Any]:
        """Return what the issuer says of itself.

        Raises:
            OidcRefused: it does not answer, or not as an issuer does.
        """
        async with self._asking:
            if self._elapsed_s() < self._good_until_s:
                return self._metadata
            if self._away is not None and self._elapsed_s() < self._away[0]:
                raise OidcRefused("away", self._away[1])
            try:
                self._metadata = await self._discovered()
            except OidcRefused as refused:
                self._away = self._elapsed_s() + AGAIN_AFTER_S, str(refused)
                raise
            self._good_until_s = self._elapsed_s() + METADATA_FOR_S
            return self._metadata

    async def _discovered(self) -> dict[str, Any]:
        issuer = self.client.issuer
        found = await self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise OidcRefused("away", f"{issuer} says it is {str(found.get('issuer'))[:200]}")
        asked = NEEDED + (("userinfo_endpoint",) if "userinfo_endpoint" in found else ())
        if wrong := [name for name in asked if not may_be_asked(found.get(name), issuer)]:
            raise OidcRefused("away", f"{issuer} names no address that may be asked: {', '.join(wrong)}")
        return found

    async def keys(self, *, fresh: bool = False) -> KeySet:
        """Return the issuer's keys; `fresh`: as they are now.

        Raises:
            OidcRefused: it does not show them.
        """
        if self._keys is None or fresh:
            document = await self._get((await self.metadata())["jwks_uri"])
            try:
                self._keys = id_token.keys_of(document)
            except ValueError as error:
                raise OidcRefused("away", f"the keys of {self.client.issuer}: {error}") from None
        return self._keys

    async def address(self, start: OidcStart, redirect_uri: str) -> str:
        """Return where a browser goes to sign in; it comes back to redirect_uri.

        Raises:
            OidcRefused: the provider does not answer.
        """
        metadata = await self.metadata()
        async with self._session(redirect_uri, metadata) as session:
            address, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=start.state,
                code_verifier=start.verifier,
                nonce=start.nonce,
            )
        return str(address)

    async def claims(self, code: str, start: OidcStart, redirect_uri: str, now_s: float) -> OidcClaims:
        """Return who comes back with a code.

        Raises:
            OidcRefused: the code is not good, or what the provider says cannot be trusted.
        """
        metadata = await self.metadata()
        tokens = await self._tokens(code, start, redirect_uri, metadata)
        said = await self._verified(tokens, start.nonce, metadata, now_s)
        if "userinfo_endpoint" in metadata and "access_token" in tokens:
            bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
            more = await self._get(metadata["userinfo_endpoint"], headers=bearer)
            if more.get("sub") != said["sub"]:
                raise OidcRefused("untrusted", "userinfo is about somebody else")
            said = more | said
        return claims_of(self.client.issuer, said, self.client.groups_claim)

    async def _tokens(
        self, code: str, start: OidcStart, redirect_uri: str, metadata: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(TIMEOUT_S), self._session(redirect_uri, metadata) as session:
                tokens: Mapping[str, Any] = await session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=start.verifier,
                    redirect_uri=redirect_uri,
                )
        except OAuthError as error:
            reason: Reason = "state" if error.error == "invalid_grant" else "untrusted"
            raise OidcRefused(reason, f"the provider gives no token: {error}") from None
        except FAILURES as error:
            raise OidcRefused("away", f"the provider gives no token: {error!r}") from error
        return tokens

    async def _verified(
        self, tokens: Mapping[str, Any], nonce: str, metadata: Mapping[str, Any], now_s: float
    ) -> dict[str, Any]:
        """Return the claims of the ID token; with a key that is not known the keys are fetched once more."""
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise OidcRefused("untrusted", "the provider sends no ID token")
        listed = metadata.get("id_token_signing_alg_values_supported")
        for fresh in (False, True):
            try:
                return id_token.verified(
                    token,
                    await self.keys(fresh=fresh),
                    issuer=self.client.issuer,
                    client_id=self.client.client_id,
                    nonce=nonce,
                    now_s=now_s,
                    access_token=tokens.get("access_token"),
                    algorithms=listed if isinstance(listed, list) else ("RS256",),
                )
            except UnknownKey:
                continue
        raise OidcRefused("untrusted", "the ID token is signed with a key that the provider does not show")

    async def _get(self, address: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=self._by_proxy()) as session,
            ):
                answer = await session.get(address, headers=headers)
                found = answer.raise_for_status().json()
        except FAILURES as error:
            raise OidcRefused("away", f"{address} does not answer as it should: {error!r}") from error
        if not isinstance(found, dict):
            raise OidcRefused("away", f"{address} does not answer with an object")
        return found

    def _by_proxy(self) -> bool:
        """Tell whether the machine's proxy is used: never to reach this machine itself."""
        return not is_loopback_name(urlsplit(self.client.issuer).hostname or "")

    def _session(self, redirect_uri: str, metadata: Mapping[str, Any]) -> Any:
        return AsyncOAuth2Client(
            client_id=self.client.client_id,
            client_secret=self.client.secret or None,
            token_endpoint_auth_method=self._auth_method(metadata),
            redirect_uri=redirect_uri,
            scope=" ".join(self._scopes(metadata)),
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            trust_env=self._by_proxy(),
        )

    def _auth_method(self, metadata: Mapping[str, Any]) -> str:
        if not self.client.secret:
            return "none"
        listed = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in listed else "client_secret_post"

    def _scopes(self, metadata: Mapping[str, Any]) -> list[str]:
        """Return what is asked for: many providers have a scope called as the claim of groups."""
        listed = metadata.get("scopes_supported") or ["profile", "email"]
        return ["openid", *(s for s in ("profile", "email", self.client.groups_claim) if s in listed)]
