"""A chain that was tampered with says so, and where."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from people.audit.check import HASHED, ChainCheck, ChainHead, ChainProblem
from store.audit import Actor, AuditedChange, ChainEnd, digest, linked, month_of

AT = datetime(2026, 11, 29, 17, 30, tzinfo=UTC)
CHANGES = [
    AuditedChange(
        municipality=1, action="device.edit", subject=f"bin-{n}", before={"lat": n / 7}, after={"lat": 1.0}
    )
    for n in range(5)
]
Row = dict[str, Any]


def rows(changes: Sequence[AuditedChange] = CHANGES) -> list[Row]:
    """Return a whole chain; its ids are 10 and following."""
    end = ChainEnd(municipality=1, month=month_of(AT))
    ids = list(itertools.islice(itertools.count(10), len(changes)))
    return linked(end, ids, changes, Actor(principal=3, address="192.0.2.7"), AT)


def head_of(chain: Sequence[Row]) -> ChainHead:
    return ChainHead(municipality="tripoli", month=month_of(AT), rows=len(chain), head=chain[-1]["hash"])


END = head_of(rows())


def problems(
    chain: Iterable[Row], *, end: ChainHead = END, kept: Sequence[ChainHead] = (), expired: bool = False
) -> list[ChainProblem]:
    check = ChainCheck(chain=end, kept=kept, expired=expired)
    for row in chain:
        check.add(row)
    return check.end()


def rehashed(chain: list[Row]) -> list[Row]:
    """Return a chain written anew from its first row on."""
    previous = "0" * 64
    for row in chain:
        row["previous"] = previous
        previous = row["hash"] = digest({name: row[name] for name in HASHED})
    return chain


def edited(chain: list[Row]) -> list[Row]:
    chain[2]["after"] = {"lat": 1.5}
    return chain


def edited_with_its_hash(chain: list[Row]) -> list[Row]:
    chain[2]["principal_id"] = 4
    chain[2]["hash"] = digest({name: chain[2][name] for name in HASHED})
    return chain


def deleted(chain: list[Row]) -> list[Row]:
    return chain[:2] + chain[3:]


def reordered(chain: list[Row]) -> list[Row]:
    second, third = chain[1], chain[2]
    second["number"], third["number"] = third["number"], second["number"]
    return [chain[0], third, second, *chain[3:]]


def cut(chain: list[Row]) -> list[Row]:
    return chain[:3]


def doubled(chain: list[Row]) -> list[Row]:
    return [*chain[:2], chain[1], *chain[2:]]


def continued(chain: list[Row]) -> list[Row]:
    end = ChainEnd(municipality=1, month=month_of(AT), rows=5, head=chain[-1]["hash"])
    return chain + linked(end, [99], CHANGES[:1], Actor(principal=3, address=""), AT)


def test_whole_chain_has_no_problem() -> None:
    assert problems(rows(), kept=[END, head_of(rows()[:2])]) == []


@pytest.mark.parametrize(
    ("tamper", "where", "message"),
    [
        (edited, (3, 12), "its fields do not have its hash"),
        (edited_with_its_hash, (4, 13), "does not continue the row before it"),
        (deleted, (4, 13), "row 3 is missing"),
        (reordered, (2, 12), "does not continue the row before it"),
        (cut, (None, None), "rows 4 to 5 are missing: the tail was cut off"),
        (doubled, (2, 11), "a number stands twice"),
        (continued, (None, None), "ends elsewhere than it says itself"),
    ],
)
def test_tampering_is_found_where_it_was_done(
    tamper: Callable[[list[Row]], list[Row]], where: tuple[int | None, int | None], message: str
) -> None:
    found = problems(tamper(rows()))

    assert ((found[0].number, found[0].id), found[0].municipality) == (where, "tripoli")
    assert message in found[0].message


@pytest.mark.parametrize("field", HASHED)
def test_no_field_can_be_edited_unseen(field: str) -> None:
    chain = rows()
    chain[-1][field] = 99 if field == "number" else "another"

    assert problems(chain)


def test_chain_written_anew_is_whole_and_is_found_by_a_head_kept_outside() -> None:
    kept = head_of(rows()[:3])
    forged = rehashed(edited(rows()))

    assert problems(forged, end=head_of(forged)) == []
    (found,) = problems(forged, end=head_of(forged), kept=[kept])
    assert (found.number, found.id) == (3, 12)
    assert "written anew" in found.message


def test_tail_cut_off_with_its_own_head_is_found_by_a_head_kept_outside() -> None:
    short = cut(rows())

    assert problems(short, end=head_of(short)) == []
    (found,) = problems(short, end=head_of(short), kept=[END])
    assert "5 rows were kept outside, 3 are there" in found.message


def test_expired_month_keeps_its_head_and_has_no_rows() -> None:
    assert problems([], expired=True, kept=[END]) == []
    assert problems(rows()[:1], expired=True)
    assert problems([], expired=True, kept=[replace(END, head="1" * 64)])
