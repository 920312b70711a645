"""Search compares texts in Python and in the database alike."""

from __future__ import annotations

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.texts.folding import folded
from tests.integration.api import builders

SAME = [
    ("شارع عزمي ٧٢", "شارع عزمى 72"),
    ("أحمد", "احمد"),
    ("إلى آل", "الي ال"),
    ("مؤسسة", "موسسه"),
    ("قُدِّسَت مدينـة", "قدست مدينه"),
    ("Évry, ÎLE", "evry, ile"),
    ("Rue Ibn Khaldûn Nº 5", "rue ibn khaldun no 5"),
    ("۴۵", "45"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_a_reader_takes_for_the_same_is_found(one: str, other: str) -> None:
    assert folded(one) == folded(other)


async def test_database_folds_as_python_does(connection: asyncpg.Connection) -> None:
    texts = [text for pair in SAME for text in pair]
    texts += ["Straße", "ﬁn Ⅳ", "İstanbul", "ÆSIR", "'; DROP TABLE device; --", "%_\\", ""]

    found = await connection.fetch("SELECT folded(said) AS folded FROM unnest($1::text[]) AS said", texts)

    assert [row["folded"] for row in found] == [folded(text) for text in texts]


async def test_names_are_kept_as_search_compares_them(connection: asyncpg.Connection) -> None:
    await builders.add(connection, "bin-7", title="ساحة التّل ٧")

    assert (
        await connection.fetchval("SELECT searched FROM device WHERE name = 'bin-7'") == "bin-7 ساحه التل 7"
    )


@given(st.text(max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
