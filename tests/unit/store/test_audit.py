"""What enters the audit of a change: the fields that differ, and nothing that is secret or of a person."""

from __future__ import annotations

import pytest

from store.audit import LEFT_OUT, LEFT_OUT_OF_PEOPLE, OMITTED, AuditedChange, differing, shown

SECRET = "what nobody may read"


def test_only_fields_that_differ_are_kept() -> None:
    before = {"title": "Souk", "lat": 34.4, "attributes": {"a": 1}}
    after = {"title": "Souk", "lat": 34.5, "parent": "c-1", "attributes": {"a": 1}}

    assert differing(before, after) == ({"lat": 34.4, "parent": None}, {"lat": 34.5, "parent": "c-1"})


@pytest.mark.parametrize("field", sorted(LEFT_OUT))
def test_field_that_is_left_out_is_found_at_any_depth_of_any_change(field: str) -> None:
    state = {field: SECRET, "attributes": {"crew": [{field: {"x": SECRET}}]}}
    change = AuditedChange(
        municipality=1, action="device.edit", subject="bin-1", before=state, after={field: None}
    )

    before, after = shown(change)

    assert SECRET not in str(before)
    assert before == {field: OMITTED, "attributes": {"crew": [{field: OMITTED}]}}
    assert after == {field: None}


@pytest.mark.parametrize("field", ["reason", "retired_reason", "removed_reason"])
def test_what_people_write_freely_is_not_kept_for_ever(field: str) -> None:
    change = AuditedChange(
        municipality=1,
        action="device.retire",
        subject="bin-1",
        before={field: None},
        after={field: "Rima broke it"},
    )

    assert shown(change) == ({field: None}, {field: OMITTED})


@pytest.mark.parametrize("field", sorted(LEFT_OUT_OF_PEOPLE))
def test_names_are_left_out_of_changes_of_people_and_kept_in_others(field: str) -> None:
    person = AuditedChange(municipality=None, action="person.edit", subject="7", after={field: SECRET})
    device = AuditedChange(municipality=None, action="device.edit", subject="b", after={field: "Souk"})

    assert shown(person) == (None, {field: OMITTED})
    assert shown(device) == (None, {field: "Souk"})
