"""Which language a reader gets."""

from __future__ import annotations

import pytest

from api.http.languages import negotiate


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ar-LB", "ar"),
        ("fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("en;q=0.2, ar;q=0.9", "ar"),
        ("de, fr;q=0.1", "fr"),
        ("ar;q=0, fr;q=0.1", "fr"),
        ("ar;q=lots", "en"),
        ("*", "en"),
    ],
)
def test_language_is_the_best_we_have(header: str | None, language: str) -> None:
    assert negotiate(header) == language
