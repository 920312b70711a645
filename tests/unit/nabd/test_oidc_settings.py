"""Settings of the provider where people sign in."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from nabd.oidc import provider_of
from nabd.settings import Settings, environment
from people.identity import of_texts

ISSUER = "https://id.example.org"
ROLES = (
    '{"roads": [{"role": "operator", "municipality": "tripoli"}, {"role": "viewer", "municipality": null}]}'
)


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ISSUER", ISSUER), ("CLIENT_ID", "nabd"), ("ROLES", ROLES)):
        monkeypatch.setenv(f"NABD_OIDC_{name}", value)


def test_settings_name_a_provider_and_reach_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on = environment(Settings())
    assert json.loads(passed_on["NABD_OIDC_ROLES"]) == json.loads(ROLES)
    for name, value in passed_on.items():
        monkeypatch.setenv(name, value)

    provider = provider_of(Settings())

    assert provider is not None
    assert (provider.client.issuer, provider.client.secret) == (ISSUER, "")
    assert frozenset(provider.client.roles["roads"]) == of_texts(["operator@tripoli", "viewer"])
    monkeypatch.setenv("NABD_OIDC_ISSUER", "")
    assert provider_of(Settings()) is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ISSUER", "http://id.example.org", "https"),
        ("CLIENT_ID", "", "NABD_OIDC_CLIENT_ID"),
        ("ROLES", "{}", "NABD_OIDC_ROLES"),
        ("ROLES", '{"roads": []}', "NABD_OIDC_ROLES"),
        ("ROLES", '{"roads": [{"role": "boss", "municipality": null}]}', "boss"),
        ("ROLES", '{"roads": [{"role": "admin"}]}', "municipality"),
        ("ROLES", '{"roads": [{"role": "admin", "municipality": null, "town": "tripoli"}]}', "town"),
    ],
)
def test_settings_that_say_half_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"NABD_OIDC_{name}", value)

    with pytest.raises(ValidationError, match=said):
        Settings()
