"""Checkpoints of rule sets: their state in pieces, each as of a batch, and how a restart continues from them.

They are stored by shard and name (column `kind`): a kind, or a kind's shadows, and `:` with the number of
the piece. A piece is of the devices whose id / PIECE it is. The base, without a number, is of all devices
that no piece is of: nothing was known of them as of its batch, unless an earlier version of Nabd has stored
all of a state there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime, to_microseconds
from readings import replay
from rules.engine import snapshot
from rules.engine.ruleset import RuleSet, SavedAt
from rules.engine.state import RuleState, StateChanges
from rules.live import stored
from store.connection import Connection

EVERY_US = 60_000_000
"""How often a rule set is saved, in microseconds of the batches' clock; a large one piece by piece."""
APART_US = 500_000
"""But no two pieces follow each other sooner: saving a million devices takes longer than EVERY_US."""
PIECE = 2_048
"""Ids of devices in a piece; as many devices are saved with one batch, which takes it some 20 ms. What is
stored counts by it."""
MOST_PIECES = 4
"""Pieces saved with one batch, of a kind that has few devices in each."""
TOGETHER = 16
"""Pieces that are read at once."""
BASE = -1


def wanted(
    ruleset: RuleSet, state: RuleState, rows: Columns, now: int, every_us: int, times: int = 1
) -> list[int]:
    """Return which pieces of a state must be saved with a batch whose new rows are `rows`.

    Readings adopted from quarantine keep their old receive time: a restart would not replay them. It would
    let mended rules catch up again, and new ones judge readings from before they were there.
    """
    if ruleset.catching_up or ruleset.renewed:
        return _present(state).nonzero()[0].tolist()
    adopted = rows.device_id[rows.received_at <= ruleset.seen]
    found = set(np.unique(adopted // PIECE).tolist())
    turns = max(-(-len(state.index) // PIECE), -(-len(ruleset.pieces) // MOST_PIECES), 1)
    saved_at = ruleset.checkpoint_at
    if saved_at is None or now - saved_at >= times * max(APART_US, every_us // turns):
        found |= _next(ruleset, state)
    return sorted(found)


def _next(ruleset: RuleSet, state: RuleState) -> set[int]:
    """Return the pieces that have not been saved for longest, first those that never were."""
    devices, found, saved = _present(state), set[int](), ruleset.pieces
    present, many = devices.nonzero()[0].tolist(), 0
    for piece in sorted(present, key=lambda one: saved[one].batch if one in saved else -1):
        many += int(devices[piece])
        if found and (many > PIECE or len(found) == MOST_PIECES):
            break
        found.add(piece)
    return found


def _present(state: RuleState) -> NDArray[np.intp]:
    """Return how many devices of each piece have rows, (pieces,)."""
    return np.bincount(state.index.devices // PIECE)


def carry_over(before: RuleSet, after: RuleSet) -> set[tuple[str, int]]:
    """Hand what stays valid of a state from one rule set of a kind to the next; return what rules it knew.

    Where no rule has changed that is the state itself.
    """
    known = snapshot.identities(before.program)
    if known == snapshot.identities(after.program):
        after.state, after.state.program = before.state, after.program
        after.pieces, after.checkpoint_at, after.renewed = before.pieces, before.checkpoint_at, before.renewed
    else:
        snapshot.carry_all(before.state, after.state)
        after.pieces, after.renewed = before.pieces, True
    after.seen = before.seen
    return {rule[:2] for rule in known}


_SAVE = """
INSERT INTO rule_checkpoint (shard, kind, batch, received_at, state)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (shard, kind) DO UPDATE SET
    batch = excluded.batch,
    received_at = excluded.received_at,
    state = excluded.state
"""


async def save(
    connection: Connection,
    shard: str,
    name: str,
    batch: int,
    ruleset: RuleSet,
    state: RuleState,
    changes: StateChanges,
    rows: Columns,
    pieces: Iterable[int],
) -> Mapping[int, SavedAt]:
    """Store what pieces of a state become with a batch's changes; return as of when each piece is stored.

    Args:
        connection: inside the batch's transaction.
        state: the rule set's, or what becomes it.
        rows: the batch's.
    """
    now = SavedAt(batch=batch, received_at=max(ruleset.seen, int(rows.received_at.max())))
    saved, rows_of = dict(ruleset.pieces), _rows_by_piece(state)
    for piece in pieces:
        state_rows = rows_of[piece]
        kept = snapshot.take(state, state_rows)
        changes.within(state_rows).apply(kept.rows)
        await _put(connection, shard, name, piece, now, kept)
        saved[piece] = now
    base = saved.get(BASE, SavedAt(batch=batch - 1, received_at=int(rows.received_at.min()) - 1))
    present = _present(state).nonzero()[0].tolist()
    if all(piece in saved for piece in present):
        # Of whoever has no piece now nothing was known before.
        base = min((saved[piece] for piece in present), default=base)
    if base != saved.get(BASE):
        await _put_base(connection, shard, name, base, state)
        saved[BASE] = base
    return saved


def _rows_by_piece(state: RuleState) -> dict[int, NDArray[np.intp]]:
    of = state.index.devices // PIECE
    order = np.argsort(of, kind="stable")
    found, starts = np.unique(of[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True))


async def _put_base(connection: Connection, shard: str, name: str, at: SavedAt, state: RuleState) -> None:
    await _put(connection, shard, name, BASE, at, snapshot.take(state, np.arange(0)))


async def _put(
    connection: Connection, shard: str, name: str, piece: int, at: SavedAt, kept: snapshot.Snapshot
) -> None:
    await connection.execute(
        _SAVE, shard, _name(name, piece), at.batch, to_datetime(at.received_at), snapshot.dump(kept)
    )


async def put(connection: Connection, shard: str, name: str, state: RuleState, at: SavedAt) -> None:
    """Store all of a state as of a batch; what a shard has had before counts no more."""
    await _put_base(connection, shard, name, at, state)
    for piece, state_rows in _rows_by_piece(state).items():
        await _put(connection, shard, name, piece, at, snapshot.take(state, state_rows))


def _name(name: str, piece: int) -> str:
    return name if piece == BASE else f"{name}:{piece}"


_SAVED = """
SELECT kind, batch, received_at FROM rule_checkpoint
WHERE shard = $1 AND (kind = $2 OR starts_with(kind, $2 || ':'))
"""

_STATES = "SELECT kind, state FROM rule_checkpoint WHERE shard = $1 AND kind = ANY($2)"


async def resume(connection: Connection, shard: str, name: str, ruleset: RuleSet) -> set[tuple[str, int]]:
    """Bring a blank rule set to the state after its shard's last committed batch; writes nothing.

    That is the last checkpoint of each piece, moved over the readings received since. A rule that they do not
    know is new: it has judged none of these.

    Returns:
        The rules that all pieces knew, with their versions.
    """
    saved: dict[int, SavedAt] = {}
    for row in await connection.fetch(_SAVED, shard, name):
        piece = int(row["kind"].removeprefix(name).removeprefix(":") or BASE)
        saved[piece] = SavedAt(batch=row["batch"], received_at=to_microseconds(row["received_at"]))
    base = saved.get(BASE)
    if base is None or not (found := await _carry(connection, shard, name, [BASE], ruleset.state)):
        return set()
    # Older than the base is only what an earlier life of the name, or of Nabd, has left behind.
    others = [piece for piece, at in saved.items() if piece != BASE and at >= base]
    for first in range(0, len(others), TOGETHER):
        some = others[first : first + TOGETHER]
        found |= await _carry(connection, shard, name, some, ruleset.state)
    known = set.intersection(*found.values())
    ruleset.pieces = pieces = {piece: saved[piece] for piece in found}
    ruleset.seen = max(at.received_at for at in pieces.values())
    await _replay(connection, shard, ruleset)
    if not known.issuperset(snapshot.identities(ruleset.program)):
        ruleset.state, ruleset.renewed = snapshot.knowing(ruleset.state, known), True
    return {rule[:2] for rule in known}


async def _carry(
    connection: Connection, shard: str, name: str, pieces: Sequence[int], state: RuleState
) -> dict[int, set[snapshot.Identity]]:
    """Make saved pieces part of a state; return what rules each knew, but for those in another format."""
    rows = await connection.fetch(_STATES, shard, [_name(name, piece) for piece in pieces])
    states = {row["kind"]: row["state"] for row in rows}
    known = {}
    for piece in pieces:
        past = snapshot.parse(states[_name(name, piece)])
        if past is not None:
            snapshot.carry(past, state)
            known[piece] = set(past.rules)
    return known


async def _replay(connection: Connection, shard: str, ruleset: RuleSet) -> None:
    """Move a state over the readings that each of its pieces does not know yet."""
    saved = ruleset.pieces
    oldest = await stored.oldest_after_batch(connection, shard, min(at.batch for at in saved.values()))
    if oldest is not None:
        after = _by_piece(saved)

        def take(columns: Columns) -> None:
            of = np.minimum(columns.device_id // PIECE, len(after) - 1)
            news = columns.received_at > after[of]
            if news.any():
                ruleset.replay(columns if news.all() else columns.take(news))

        kind = ruleset.program.kind
        await replay.hand_over(connection, kind, take, oldest=oldest, after=int(after.min()))


def _by_piece(saved: Mapping[int, SavedAt]) -> NDArray[np.int64]:
    """Return until when the readings of each piece are in its state, microseconds; last, of all beyond."""
    after = np.full(max(saved) + 2, saved[BASE].received_at, dtype=np.int64)
    for piece, at in saved.items():
        if piece != BASE:
            after[piece] = at.received_at
    return after
