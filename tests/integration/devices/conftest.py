"""The API, for what of a device is asked there."""

from __future__ import annotations

from tests.integration.api.conftest import app, client, kept, own_pool

__all__ = ["app", "client", "kept", "own_pool"]
