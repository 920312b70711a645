"""What roles allow, and where."""

from __future__ import annotations

import pytest

from people.identity import Grant, Identity, of_texts, to_text
from people.roles import PERMISSIONS, Permission, Role, TokenScope


def somebody(*roles: str, scopes: frozenset[TokenScope] = frozenset()) -> Identity:
    return Identity(principal=1, kind="person", name="rima", grants=of_texts(roles), scopes=scopes)


def test_every_role_has_its_permissions_and_ministry_sees_no_names() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert {r for r in Role if Permission.READ_NAMES not in PERMISSIONS[r]} == {Role.MINISTRY}
    assert PERMISSIONS[Role.ADMIN] == set(Permission)
    assert all(Permission.READ in allowed for allowed in PERMISSIONS.values())


def test_role_counts_in_its_municipality_only() -> None:
    rima = somebody("operator@tripoli", "viewer@nablus")

    assert rima.may_in(Permission.ANSWER_ALERTS, "tripoli")
    assert not rima.may_in(Permission.ANSWER_ALERTS, "nablus")
    assert not rima.may_in(Permission.ANSWER_ALERTS, None)
    assert rima.towns(Permission.READ) == ["nablus", "tripoli"]
    assert rima.towns(Permission.EDIT_RULES) == []


def test_role_without_a_municipality_counts_in_all_of_them() -> None:
    assert somebody("viewer").towns(Permission.READ) is None
    assert somebody("viewer").may_in(Permission.READ, "one-that-is-yet-to-come")


def test_scope_allows_what_it_says_and_no_municipality() -> None:
    prometheus = somebody(scopes=frozenset({TokenScope.METRICS}))

    assert [p for p in Permission if prometheus.may(p)] == [Permission.WATCH_PLATFORM]
    assert prometheus.towns(Permission.READ) == []


def test_nobody_hands_out_roles_where_they_manage_no_people() -> None:
    admin = somebody("admin@tripoli")

    assert admin.may_hand_out(of_texts(["admin@tripoli", "viewer@tripoli"]))
    assert not admin.may_hand_out(of_texts(["viewer@tripoli", "viewer@nablus"]))
    assert not admin.may_hand_out(of_texts(["viewer"]))


def test_grants_are_written_and_read_alike() -> None:
    grant = Grant(role=Role.TECHNICIAN, municipality="nablus")

    assert of_texts([to_text(grant)]) == {grant}
    with pytest.raises(ValueError, match="mayor"):
        of_texts(["mayor@nablus"])


@pytest.mark.parametrize("text", ["admin@", "mayor", "", "@tripoli"])
def test_text_that_names_no_role_or_no_municipality_after_its_sign_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"municipality|Role"):
        of_texts([text])
