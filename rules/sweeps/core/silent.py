"""Which devices are silent: nothing was received from them for so many of their expected intervals.

Pure. Judged by receive time; must not know the database or when a sweep looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind
from devices.reporting import Fetch, learned_of, states
from rules.definition.definition import Silent

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def patience_us(silent: Silent, interval_us: Ints) -> Ints:
    """Return for how long nothing may be received from devices, (n,)."""
    patience: Ints = np.maximum((interval_us * silent.intervals).astype(np.int64), silent.at_least_us)
    return patience


def measured(silent: Silent, kind: Kind) -> frozenset[str]:
    """Return the measurements that tell whether the rule is about a device."""
    named = {r.measurement for r in kind.reporting if r.measurement} if silent.after_state else set()
    if silent.after_state:
        named |= {name for one in learned_of(kind).values() for name in (one.measurement, one.text)}
    return frozenset(named if silent.after is None else {*named, silent.after.measurement})


def is_judged(
    silent: Silent, kind: Kind, values: Mapping[str, NDArray[Any]], n: int, attribute: Fetch
) -> Bools:
    """Tell which devices the rule is about, by what they said and did in their newest reading, (n,).

    Args:
        values: (n,) each of those that `measured` names, None or NaN where one is missing.
        attribute: numeric attributes of the devices.
    """
    judged = np.ones(n, dtype=np.bool_)
    if silent.after is not None:
        judged &= np.isin(values[silent.after.measurement].astype(str), silent.after.one_of)
    if silent.after_state is not None:
        judged &= states(kind, values, n, attribute) == silent.after_state
    return judged


def is_overdue(silent: Silent, received_at: Ints, interval_us: Ints, at: int, caught_up_at: int) -> Bools:
    """Tell which devices have missed their deadline, (n,); microseconds.

    Args:
        received_at, interval_us: of the newest reading, and how soon after it another was expected.
        at: up to when we would have received something.
        caught_up_at: since when we would have; an outage of ours silences nobody.
    """
    deadline = received_at + patience_us(silent, interval_us)
    overdue: Bools = (deadline < at) & (caught_up_at + interval_us < at)
    return overdue


def has_resumed(received_at: Ints, opened_at: Ints) -> Bools:
    """Tell from which devices something was received after their alert opened, (n,); microseconds."""
    resumed: Bools = received_at > opened_at
    return resumed
