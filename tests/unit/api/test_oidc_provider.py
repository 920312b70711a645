"""What proves who somebody is, and which addresses of a provider are asked: with keys of our own."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from api.oidc import id_token
from api.oidc.addresses import is_trusted_address, may_be_asked
from api.oidc.id_token import UnknownKey, verified
from api.oidc.provider import AGAIN_AFTER_S, OidcClient, OidcProvider
from people.oidc.claims import OidcRefused
from people.oidc.starts import OidcStart

ISSUER, CLIENT = "https://id.example.org", "nabd"
NOW_S = 1_800_000_000
KEY = ECKey.generate_key("P-256", {"kid": "first"})
OTHER = ECKey.generate_key("P-256", {"kid": "first"})  # says the same of itself
NEXT = ECKey.generate_key("P-256", {"kid": "second"})
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/jwks",
    "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
}


def signed(key: Any = KEY, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return an ID token that is right but for what is said."""
    said = {
        "iss": ISSUER, "sub": "1", "aud": CLIENT, "exp": NOW_S + 60, "iat": NOW_S - 5, "nonce": "n", **claims,
    }  # fmt: skip
    head = header or {"alg": "ES256", "kid": key.kid}
    return jwt.encode(head, {k: v for k, v in said.items() if v is not None}, key)


def read(token: str, **more: Any) -> dict[str, Any]:
    asked = {
        "issuer": ISSUER, "client_id": CLIENT, "nonce": "n", "now_s": NOW_S, "algorithms": ["ES256", "HS256"],
    }  # fmt: skip
    return verified(token, id_token.keys_of(KeySet([KEY]).as_dict()), **{**asked, **more})


def test_right_token_is_taken() -> None:
    assert read(signed(groups=["roads"]))["groups"] == ["roads"]
    assert read(signed(aud=[CLIENT, "other"], azp=CLIENT))["sub"] == "1"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://id.example.com"}, "untrusted"),
        ({"iss": None}, "untrusted"),
        ({"aud": "other"}, "untrusted"),
        ({"aud": [CLIENT, "other"]}, "untrusted"),
        ({"azp": "other"}, "untrusted"),
        ({"sub": None}, "untrusted"),
        ({"nonce": "of another sign-in"}, "untrusted"),
        ({"nonce": None}, "untrusted"),
        ({"exp": NOW_S - 61}, "clock"),
        ({"exp": None}, "untrusted"),
        ({"iat": NOW_S + 120}, "clock"),
        ({"nbf": NOW_S + 120}, "clock"),
        ({"at_hash": "bm90IHRoaXM"}, "untrusted"),
    ],
)
def test_token_that_is_wrong_is_refused(claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(OidcRefused) as refused:
        read(signed(**claims), access_token="access")

    assert refused.value.reason == reason


def test_signature_is_the_issuers_and_nobody_elses() -> None:
    secret = OctKey.import_key("the secret of the client, which others may know")
    body = signed().split(".")
    for token in (
        signed(OTHER),
        signed(secret, {"alg": "HS256", "kid": "first"}),
        ".".join(["eyJhbGciOiJub25lIn0", body[1], ""]),
        ".".join([body[0], signed(sub="2").split(".")[1], body[2]]),
        "no token",
        "",
    ):
        with pytest.raises(OidcRefused) as refused:
            read(token)
        assert refused.value.reason == "untrusted"
    with pytest.raises(UnknownKey):
        read(signed(NEXT))


def test_keys_that_do_not_sign_are_left_out() -> None:
    of_encryption = RSAKey.generate_key(2048, {"use": "enc", "kid": "e"}).as_dict(private=False)
    document = {"keys": [KEY.as_dict(private=False), of_encryption, {"kty": "later"}]}

    assert [key.kid for key in id_token.keys_of(document).keys] == ["first"]
    for broken in ({}, {"keys": "none"}, {"keys": [{"kty": "EC", "crv": "P-256"}]}):
        with pytest.raises(ValueError, match=r"."):
            id_token.keys_of(broken)


class Scripted(OidcProvider):
    """A provider whose answers are written here instead of fetched."""

    def __init__(self, token: str, keys: list[Any], metadata: dict[str, Any] | None = None) -> None:
        self.elapsed_s = 0.0
        client = OidcClient(
            issuer=ISSUER, client_id=CLIENT, secret="", groups_claim="groups", roles={}, name="x"
        )
        super().__init__(client, elapsed_s=lambda: self.elapsed_s)
        self.token, self.shown, self.said = token, keys, metadata or METADATA
        self.asked: list[str] = []

    async def _get(self, address: str, headers: Any = None) -> dict[str, Any]:
        self.asked.append(address.removeprefix(ISSUER))
        if address.endswith("/jwks"):
            key = self.shown.pop(0) if len(self.shown) > 1 else self.shown[0]
            return {"keys": [key.as_dict(private=False)]}
        return {"sub": "2"} if address.endswith("/me") else self.said

    async def _tokens(self, *_: Any) -> dict[str, str]:
        return {"id_token": self.token, "access_token": "a"}


def start() -> OidcStart:
    return OidcStart(nonce="n")


async def test_keys_are_remembered_and_fetched_again_for_one_that_is_new() -> None:
    provider = Scripted(signed(), [KEY, NEXT])
    for _ in range(2):
        assert (await provider.claims("c", start(), "https://nabd.example.org/", NOW_S)).subject == "1"
    provider.token = signed(NEXT)

    await provider.claims("c", start(), "https://nabd.example.org/", NOW_S)

    assert provider.asked == ["/.well-known/openid-configuration", "/jwks", "/jwks"]
    provider.token = signed(ECKey.generate_key("P-256", {"kid": "third"}))
    with pytest.raises(OidcRefused) as refused:
        await provider.claims("c", start(), "https://nabd.example.org/", NOW_S)
    assert refused.value.reason == "untrusted"


async def test_userinfo_about_somebody_else_is_not_believed() -> None:
    provider = Scripted(signed(), [KEY], {**METADATA, "userinfo_endpoint": f"{ISSUER}/me"})

    with pytest.raises(OidcRefused) as refused:
        await provider.claims("c", start(), "https://nabd.example.org/", NOW_S)

    assert refused.value.reason == "untrusted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://other.example.org"},
        {"token_endpoint": "http://id.example.org/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"userinfo_endpoint": "http://169.254.169.254/latest"},
    ],
)
async def test_issuer_that_names_what_may_not_be_asked_is_not_asked_again_for_a_moment(
    wrong: dict[str, Any],
) -> None:
    provider = Scripted(signed(), [KEY], {**METADATA, **wrong})
    for _ in range(3):
        with pytest.raises(OidcRefused) as refused:
            await provider.address(start(), "https://nabd.example.org/")
        assert refused.value.reason == "away"
    assert len(provider.asked) == 1

    provider.said, provider.elapsed_s = METADATA, AGAIN_AFTER_S
    assert (await provider.address(start(), "https://nabd.example.org/")).startswith(f"{ISSUER}/auth?")


@pytest.mark.parametrize(
    ("issuer", "trusted"),
    [
        ("https://id.example.org", True),
        ("https://id.example.org/realms/town", True),
        ("http://127.0.0.1:9000", True),
        ("http://[::1]:9000", True),
        ("http://localhost", True),
        ("http://id.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("https://user:word@id.example.org", False),
        ("https://id.example.org?x=1", False),
        ("https://", False),
        ("ftp://id.example.org", False),
        ("id.example.org", False),
        ("https://[::1", False),
    ],
)
def test_issuer_is_https_or_this_machine(issuer: str, trusted: bool) -> None:
    assert is_trusted_address(issuer) is trusted


def test_endpoints_beside_an_issuer_on_loopback_are_its_own() -> None:
    assert may_be_asked("http://127.0.0.1:9000/token", "http://127.0.0.1:9000")
    assert not may_be_asked("http://127.0.0.1:5432/token", "http://127.0.0.1:9000")
    assert not may_be_asked("https://id.example.org/token", "http://127.0.0.1:9000")
    assert may_be_asked("https://tokens.example.org/token", ISSUER)
