"""Whether an ID token is what it says: signed by the issuer, for us, now, and for this sign-in. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    InvalidKeyIdError,
    InvalidPayloadError,
    JoseError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from people.oidc.claims import OidcRefused

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""With a key that only the issuer has; what a client secret or nobody signs is not taken."""
LEEWAY_S = 60
"""How far the clocks may differ."""
KEY_TYPES = ("RSA", "EC", "OKP")


class UnknownKey(Exception):
    """The token names a key that is not among those known: they may have changed."""


def keys_of(document: Mapping[str, Any]) -> KeySet:
    """Return the keys that may sign, of a JWK set.

    Raises:
        ValueError: it is none.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("it holds no keys")  # noqa: TRY004 - of a document
    may_sign = [
        key
        for key in listed
        if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": may_sign})
    except JoseError as error:
        raise ValueError(str(error)) from None


def verified(
    token: str,
    keys: KeySet,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now_s: float,
    access_token: str | None = None,
    algorithms: Collection[str] = ("RS256",),
) -> dict[str, Any]:
    """Return the claims of a token.

    Args:
        token: as received.
        keys: those of the issuer.
        issuer: who must have signed it.
        client_id: whom it must be for.
        nonce: what this sign-in began with.
        now_s: seconds since 1970-01-01Z.
        access_token: what came with it.
        algorithms: those that the issuer says it signs with.

    Raises:
        UnknownKey: the key that it names is not there.
        OidcRefused: something of it is wrong.
    """
    allowed = [name for name in algorithms if name in ALGORITHMS]
    try:
        read = jwt.decode(
            token, key=keys, registry=JWSRegistry(algorithms=allowed, strict_check_header=False)
        )
        claims = CodeIDToken(
            read.claims,
            read.header,
            {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
            {"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(now=int(now_s), leeway=LEEWAY_S)
    except InvalidKeyIdError:
        raise UnknownKey from None
    except (JoseError, InvalidPayloadError, ValueError, TypeError) as error:
        raise OidcRefused("clock" if _is_of_clock(error) else "untrusted", f"ID token: {error}") from error
    return dict(claims)


def _is_of_clock(error: Exception) -> bool:
    return isinstance(error, ExpiredTokenError) or (
        isinstance(error, InvalidClaimError) and error.claim in ("iat", "nbf", "exp")
    )
