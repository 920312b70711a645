"""How long readings of one kind are kept, as settings say it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from nabd.settings import Settings, retention_of
from store.tables import Resolution


@pytest.mark.parametrize(("resolution", "fewest"), [("reading", 7), ("hour", 7), ("day", 31)])
def test_kind_is_kept_at_least_as_long_as_all_must_be(resolution: str, fewest: int) -> None:
    settings = Settings(kind_retention_days={"drone": {Resolution(resolution): fewest}})

    assert retention_of(settings).of("drone", Resolution(resolution)) == timedelta(days=fewest)
    with pytest.raises(ValidationError, match=rf"drone\.{resolution}: {fewest} days or more"):
        Settings(kind_retention_days={"drone": {Resolution(resolution): fewest - 1}})
