"""A town whose gateway g1 relays bin b9, with ingest on a real broker and a real database."""

from __future__ import annotations

from tests.integration.ingest.conftest import town as town
