"""Errors of the store, by who must act.

StoreError
├── Unavailable      the database cannot be reached now: retry with backoff
├── NotMigrated      the operator must run `nabd migrate`
└── MigrationError   a migration is wrong or was changed after it ran
"""

from __future__ import annotations


class StoreError(Exception):
    """Anything the store could not do."""


class Unavailable(StoreError):
    """The database cannot be reached; the text says which one and what was tried."""


class NotMigrated(StoreError):
    """The schema is missing or older than this program."""


class MigrationError(StoreError):
    """A migration failed, or an applied one was changed since."""
