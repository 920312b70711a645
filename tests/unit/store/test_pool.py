"""How a database is named to people."""

import pytest

from store.pool import name_of


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("postgresql://nabd:secret@db.town.example:5433/nabd", "database nabd at db.town.example:5433"),
        ("postgresql://nabd:secret@/nabd?host=/var/run/pg", "database nabd at /var/run/pg"),
        ("postgresql://localhost", "database default at localhost"),
        ("postgresql://nabd:secret@host:port/nabd", "database nabd at host"),
    ],
)
def test_name_of_a_database_never_has_the_password(dsn: str, name: str) -> None:
    assert name_of(dsn) == name
