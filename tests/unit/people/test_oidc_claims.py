"""What is made of a provider's claims."""

from __future__ import annotations

from typing import Any

import pytest

from people.editing import NAME
from people.identity import of_texts
from people.oidc.claims import OidcRefused, claims_of, grants_of, names_of

ROLES = {"roads": of_texts(["operator@tripoli"]), "council": of_texts(["viewer", "ministry@nablus"])}


def claims(**said: Any) -> Any:
    return claims_of("https://id.example.org", {"sub": "1", **said}, "groups")


def test_groups_give_roles_and_unknown_ones_none() -> None:
    assert grants_of(["roads", "council", "gardens"], ROLES) == ROLES["roads"] | ROLES["council"]
    assert grants_of([], ROLES) == frozenset()


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        (["a", "b"], {"a", "b"}),
        ("a", {"a"}),
        (["a", 1, None], {"a"}),
        (None, set()),
        ({"a": 1}, set()),
        (7, set()),
    ],
)
def test_groups_are_a_list_of_names_or_one_name(said: object, groups: set[str]) -> None:
    assert claims(groups=said).groups == groups


@pytest.mark.parametrize("subject", [None, "", 7, "a\0b", "x" * 256])
def test_nobody_is_nobody(subject: object) -> None:
    with pytest.raises(OidcRefused):
        claims(sub=subject)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ar-LB", "ar"), ("fr_FR", "fr"), ("EN", "en"), ("de", None), ("", None), (5, None), (None, None)],
)
def test_language_is_that_of_the_locale_where_it_is_ours(locale: object, language: str | None) -> None:
    assert claims(locale=locale).language == language


def test_fields_that_cannot_be_used_are_left_out() -> None:
    found = claims(email="no address", name="a\u202e\nb" + "x" * 200, preferred_username=["x"])
    assert (found.email, found.display_name[:3], len(found.display_name)) == (None, "abx", 100)
    assert claims(email="a@example.org", email_verified=False).email is None
    assert claims(email="a@example.org").email == "a@example.org"


@pytest.mark.parametrize(
    ("username", "first", "second"),
    [
        ("Rima.Haddad", "rima.haddad", "rima.haddad-2"),
        ("rima@example.org", "rima", "rima-2"),
        ("Hélène D'Arc", "helene-d-arc", "helene-d-arc-2"),
        ("ريما", "person", "person-2"),
        ("", "person", "person-2"),
        ("admin", "admin-2", "admin-3"),
        ("--x" * 40, "x" + "--x" * 15, "x" + "--x" * 15 + "-2"),
    ],
)
def test_name_is_made_of_what_they_are_called_there(username: str, first: str, second: str) -> None:
    names = list(names_of(username))

    assert names[:2] == [first, second]
    assert all(NAME.fullmatch(name) for name in names)
    assert len(set(names)) == len(names)
