"""In which order the lines of a list are registered."""

from __future__ import annotations

from collections.abc import Sequence

from devices.registry.csv_import import _parents_first
from devices.registry.csv_rows import CsvRow
from devices.registry.new_device import NewDevice


def rows(*pairs: tuple[str, str | None]) -> list[CsvRow]:
    """Return lines that name a device and its parent."""
    return [
        CsvRow(
            line=line,
            new=NewDevice(name=name, kind="bin", municipality="tripoli", parent=parent),
            said=frozenset(),
        )
        for line, (name, parent) in enumerate(pairs, start=2)
    ]


def order(given: Sequence[CsvRow]) -> list[str]:
    """Return the names in the order in which they are registered."""
    return [row.new.name for row in _parents_first(given)]


def test_parents_come_before_children_and_a_circle_last() -> None:
    found = order(rows(("c", "b"), ("x", "y"), ("b", "a"), ("y", "x"), ("a", None), ("d", "elsewhere")))

    assert sorted(found) == ["a", "b", "c", "d", "x", "y"]
    assert found.index("a") < found.index("b") < found.index("c")
    assert found[-2:] == ["x", "y"]


def test_a_long_chain_written_backwards_is_ordered_at_once() -> None:
    chain = rows(*((f"n{i}", f"n{i + 1}") for i in range(20_000)))

    assert order(chain) == [f"n{i}" for i in reversed(range(20_000))]
