"""A follower of subscriptions, and its clock."""

from __future__ import annotations

import pytest

from api.standards.ngsi_ld.subscriptions import following
from tests.integration.api.standards.following import Clock, Follow, following_now


@pytest.fixture
def clock() -> Clock:
    """The clock of `follow`; the application's stands at noon."""
    return Clock()


@pytest.fixture
def follow(dsn: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Follow:
    """Return what follows as long as its block runs, and looks often."""
    monkeypatch.setattr(following, "LOOK_S", 0.02)
    return lambda: following_now(dsn, clock)
