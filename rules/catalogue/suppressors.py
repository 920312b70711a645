"""Rules that wait for another rule which does not exist: the id is probably misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rules.definition.definition import Definition
from rules.definition.errors import closest
from rules.definition.warning import RuleWarning
from store.connection import Connection

_IDS = "SELECT DISTINCT id FROM rule"


async def rule_ids(connection: Connection) -> set[str]:
    """Return the ids of all rules that there are or were."""
    return {row["id"] for row in await connection.fetch(_IDS)}


def warn_of_unknown(definitions: Sequence[Definition], known: Iterable[str]) -> list[RuleWarning]:
    """Return a warning for each id in `suppress_by` that neither the definitions nor `known` have. Pure."""
    ids = {*known, *(d.id for d in definitions)}
    return [
        RuleWarning(rule=d.id, message=_message(name, ids))
        for d in definitions
        for name in d.suppress_by
        if name not in ids
    ]


def _message(name: str, ids: Iterable[str]) -> str:
    meant = closest(name, ids)
    hint = f"did you mean {meant}?" if meant else "it suppresses nothing before there is one"
    return f"suppress_by: no rule is called {name}; {hint}"
