"""How often devices report, by compiled code: as rules.context.memory.pace.learn. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from devices.compiled.part import Function
from rules.context.grouping import Grouping
from rules.context.memory import pace
from rules.context.memory.pace import KEPT, Bools, Floats, Instants, PaceResult, PaceRows
from rules.context.patch import Patch


def learn(
    grouping: Grouping,
    observed_at: Instants,
    expected_us: Instants,
    learns: Bools,
    late: Bools,
    rows: PaceRows,
    functions: Mapping[str, Function],
) -> PaceResult:
    """Return the pace as of each row of a step, and what is to be remembered."""
    n, groups = len(observed_at), len(grouping.first)
    devices = grouping.first, grouping.last, grouping.state_rows
    whole = np.array([0, 0, 0, 0, 0, 0], dtype=np.int64)
    ratio, number = np.empty(n), np.empty(n, dtype=np.int64)
    known, odd = np.empty(n, dtype=np.uint8), np.empty(n, dtype=np.uint8)
    owners, kept = np.empty(groups, dtype=np.intp), np.empty((5, groups), dtype=np.int64)
    learned_by, learned_from = np.empty(n, dtype=np.intp), np.empty(n, dtype=np.intp)
    functions["pace"](
        whole, observed_at, expected_us, (learns & ~late).view(np.uint8), *devices, rows.watermark, rows.gaps,
        rows.slow_at, rows.slow_until, rows.brisk_since, rows.wait_us, ratio, known, number, odd,
        owners, kept, learned_by, learned_from,
    )  # fmt: skip
    k, learned, _, strange, slow, was_odd = whole.tolist()
    if not k:
        return PaceResult(pace=None, patience=None, was_odd=False, patches=())
    code = pace.codes_of(ratio)
    paces: Floats | None = None
    patience: Floats | None = None
    if strange:
        found = np.empty((strange, KEPT), dtype=np.int8)
        functions["windows"](
            *devices, known, number, odd, code, rows.gaps, rows.gap.T, np.empty(KEPT, dtype=np.int8), found
        )
        paces, patience = np.ones(n), np.ones(n)
        where = np.flatnonzero(odd)
        paces[where], patience[where] = pace.of_windows(found)
    patches = [
        Patch(name, owners[:k], None, kept[cell, :k])
        for cell, name in enumerate(("gaps", "slow_at", "slow_until", "brisk_since", "wait_us"))
        if slow or not name.startswith("slow")
    ]
    if learned:
        row = learned_from[:learned]
        place = ((number[row] - 1) % KEPT).astype(np.intp)
        patches.append(Patch("gap", learned_by[:learned], place, code[row]))
    return PaceResult(pace=paces, patience=patience, was_odd=bool(was_odd), patches=tuple(patches))
