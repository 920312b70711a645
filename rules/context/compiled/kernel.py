"""What functions of a device's own past say and remember, row by row, as numba compiles it.

Each says exactly what its namesake in rules.context.memory does over whole columns, which is the definition
and tells what is remembered where. Only devices.compiled.build and tests import this file.

All are given the rows of a step, (n,): `at`, `until` and `late`, sorted by device; of its g devices the
`first` and `last` row and the row in the state, `whose`; and what all devices remember, `values` (v, d), as
bits, and `instants` (a, d), of which theirs begin at whole[0] and whole[1]. They write what they say of
every row, and for `owners`, the devices whose memory changes, the cells that do; how many these are goes
into whole[2].

How they stay inside their arrays: they write at rows and devices that they were given, in rooms that callers
make for all of them, and cells that the step's state has. Tests run all of this with bounds checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba.extending import register_jitable

from rules.context.compiled.constants import (
    ABSENT,
    BRISK,
    BRISK_FOR_US,
    COUNT,
    EVENTS_FOR_US,
    FARTHEST,
    KEPT,
    KNOWN,
    LEARN_WITHIN,
    MOST_REMEMBERED,
    NAN_BITS,
    NORMAL,
    PROOF,
    RARE_PROOF,
    SLOTS,
    SLOW,
    SUM,
    THINNED,
    WIDTH,
)  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])
also_compiled: Callable[[F], F] = register_jitable

VALUE, INSTANT, CHANGED = 0, 1, 2
NAN = math.nan


@also_compiled
def number_of(bits: Any) -> Any:
    """rules.context.memory.bits.numbers_of."""
    return np.int64(bits ^ NAN_BITS).view(np.float64)


def last(
    whole: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, values: Any, instants: Any,
    value: Any, before: Any, elapsed_s: Any, owners: Any, kept: Any, kept_at: Any,
) -> None:  # fmt: skip
    """rules.context.memory.aggregates.last."""
    v, i, k = whole[VALUE], whole[INSTANT], 0
    for g in range(whose.size):
        device = whose[g]
        known = False
        was, was_at, due = NAN, np.int64(0), np.int64(0)
        for r in range(first[g], last[g] + 1):
            before[r] = NAN
            elapsed_s[r] = NAN
            if late[r] or math.isnan(value[r]):
                continue
            if not known:
                known = True
                was = number_of(values[v, device])
                was_at, due = instants[i, device], instants[i + 1, device]
            if at[r] <= due:
                before[r] = was
                elapsed_s[r] = (at[r] - was_at) / 1e6
            was, was_at, due = value[r], at[r], until[r]
        if known:
            owners[k] = device
            kept[0, k], kept_at[0, k], kept_at[1, k] = was, was_at, due
            k += 1
    whole[CHANGED] = k


def held(
    whole: Any, late: Any, first: Any, last: Any, whose: Any, values: Any,
    value: Any, result: Any, owners: Any, kept: Any,
) -> None:  # fmt: skip
    """rules.context.memory.aggregates.held."""
    k = 0
    for g in range(whose.size):
        newest, changed = number_of(values[whole[VALUE], whose[g]]), False
        for r in range(first[g], last[g] + 1):
            if late[r]:
                result[r] = NAN
                continue
            if not math.isnan(value[r]):
                newest, changed = value[r], True
            result[r] = newest
        if changed:
            owners[k], kept[0, k] = whose[g], newest
            k += 1
    whole[CHANGED] = k


def flat(
    whole: Any, real: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, values: Any,
    instants: Any, value: Any, usual_us: Any, own_us: Any, result: Any, owners: Any, kept: Any, kept_at: Any,
) -> None:  # fmt: skip
    """rules.context.memory.flatness.flat.

    Args:
        whole: also from 3 on: how long, how many readings, whether it is a window of readings.
        real: the tolerance, and once around or 0.
    """
    v, i, k = whole[VALUE], whole[INSTANT], 0
    lasting, readings_needed, by_readings = whole[3], whole[4], whole[5]
    tolerance, turn = real[0], real[1]
    for g in range(whose.size):
        device = whose[g]
        known = False
        low, high, raw, turns = NAN, NAN, NAN, np.int64(0)
        was_at, due, begun, readings, dark = np.int64(0), np.int64(0), np.int64(0), np.int64(0), False
        for r in range(first[g], last[g] + 1):
            result[r] = NAN
            if late[r] or math.isnan(value[r]):
                continue
            if not known:
                low, high = number_of(values[v, device]), number_of(values[v + 1, device])
                due, begun = instants[i + 1, device], instants[i + 2, device]
                readings, dark = instants[i + 3, device], instants[i + 4, device] != 0
                raw = (low + high) / 2
            here, gap = value[r], at[r] > due
            if turn > 0:
                ahead = NAN if gap and not known else (here - raw) / turn
                if not math.isnan(ahead):
                    turns -= np.int64(np.rint(ahead))
                raw = here
                here = here + turn * turns
            known = True
            lowest, highest = min(low, here), max(high, here)
            if gap or not highest - lowest <= tolerance:
                low, high, begun, readings, dark = here, here, at[r], np.int64(0), gap
            else:
                low, high = lowest, highest
            readings += 1
            was_at, due = at[r], until[r]
            needed = readings_needed
            if not by_readings:
                usual = np.float64(usual_us[r])
                needed = np.int64(min(max(lasting / (THINNED * usual), 1.0), PROOF))
                if own_us[r] >= lasting and own_us[r] > THINNED * usual:
                    needed = max(needed, RARE_PROOF)
            if was_at - begun >= lasting and readings >= needed:
                result[r] = 1.0
            elif not dark:
                result[r] = 0.0
        if known:
            owners[k], kept[0, k], kept[1, k] = device, low, high
            kept_at[0, k], kept_at[1, k], kept_at[2, k] = was_at, due, begun
            kept_at[3, k], kept_at[4, k] = readings, dark
            k += 1
    whole[CHANGED] = k


def of_readings(
    whole: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, values: Any, instants: Any,
    truth: Any, trues: Any, seen: Any, owners: Any, kept: Any, kept_at: Any,
) -> None:  # fmt: skip
    """rules.context.memory.aggregates.of_readings; whole[3]: of how many readings."""
    v, i, k = whole[VALUE], whole[INSTANT], 0
    for g in range(whose.size):
        device = whose[g]
        known = False
        bits, many, was_at, due = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
        for r in range(first[g], last[g] + 1):
            trues[r] = NAN
            seen[r] = NAN
            if late[r] or math.isnan(truth[r]):
                continue
            if not known:
                known, due = True, instants[i + 1, device]
                if at[r] <= due and values[v, device] != 0:
                    bits = np.int64(number_of(values[v, device]))
                    many = np.int64(number_of(values[v + 1, device]))
            if at[r] > due:
                bits, many = np.int64(0), np.int64(0)
            bits = ((bits << 1) | (truth[r] == 1)) & ((1 << MOST_REMEMBERED) - 1)
            many = min(many + 1, np.int64(MOST_REMEMBERED))
            counted = min(many, whole[3])
            true, left = 0, bits & ((1 << counted) - 1)
            while left:
                left &= left - 1
                true += 1
            trues[r] = true
            seen[r] = counted
            was_at, due = at[r], until[r]
        if known:
            owners[k], kept[0, k], kept[1, k] = device, bits, many
            kept_at[0, k], kept_at[1, k] = was_at, due
            k += 1
    whole[CHANGED] = k


def within(
    whole: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, instants: Any,
    truth: Any, trues: Any, covered: Any, owners: Any, kept_at: Any, true_of: Any, events: Any, ring: Any,
) -> None:  # fmt: skip
    """rules.context.memory.aggregates.within.

    Args:
        whole: also how long the window is, and where goes how many devices `true_of`, (16, .) `events` name.
        ring: (16,) room.
    """
    i, k, e, window = whole[INSTANT], 0, 0, whole[3]
    for g in range(whose.size):
        device = whose[g]
        known, happened, any_event = False, False, False
        was_at, due, since = np.int64(0), np.int64(0), np.int64(0)
        for r in range(first[g], last[g] + 1):
            trues[r] = NAN
            covered[r] = NAN
            if late[r] or math.isnan(truth[r]):
                continue
            if not known:
                known, due, since = True, instants[i + 1, device], instants[i + 2, device]
                any_event = instants[i + 2 + MOST_REMEMBERED, device] != 0
                for c in range(MOST_REMEMBERED):
                    ring[c] = instants[i + 3 + c, device] if any_event else 0
            if at[r] > due:
                since = at[r]
            if truth[r] == 1:
                happened, any_event = True, True
                for c in range(1, MOST_REMEMBERED):
                    ring[c - 1] = ring[c]
                ring[MOST_REMEMBERED - 1] = at[r]
            true = 0
            if any_event:
                after = max(at[r] - window, 0)
                for c in range(MOST_REMEMBERED):
                    true += ring[c] > after
            trues[r] = true
            covered[r] = at[r] - since >= window
            was_at, due = at[r], until[r]
        if known:
            owners[k], kept_at[0, k], kept_at[1, k], kept_at[2, k] = device, was_at, due, since
            k += 1
        if happened:
            true_of[e] = device
            for c in range(MOST_REMEMBERED):
                events[c, e] = ring[c]
            e += 1
    whole[CHANGED], whole[4] = k, e


@also_compiled
def goes_on(boot: Any, seq: Any, now_boot: Any, now_seq: Any) -> Any:
    """Tell whether numbers follow others, 1 being none."""
    step = now_seq - seq
    return now_boot == boot and (now_seq == 1 or seq == 1 or (step >= 0 and step <= FARTHEST))


@also_compiled
def remembered(number: Any) -> Any:
    """Return a number as it is remembered."""
    return np.int64(1) if number == -1 else (number & (2**62 - 1)) + 2


def interleaved(
    whole: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, instants: Any,
    boot: Any, seq: Any, result: Any, owners: Any, kept_at: Any, two_of: Any, others: Any,
) -> None:  # fmt: skip
    """rules.context.memory.senders.interleaved; of `two_of`, whole[3] devices, `others` (2, .) change too."""
    i, k, e = whole[INSTANT], 0, 0
    for g in range(whose.size):
        device = whose[g]
        known, jumped = False, False
        was_at, due = np.int64(0), np.int64(0)
        was_boot, was_seq, other_boot, other_seq = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
        for r in range(first[g], last[g] + 1):
            result[r] = NAN
            if late[r] or (boot[r] == -1 and seq[r] == -1):
                continue
            if not known:
                known, was_boot, was_seq = True, instants[i + 2, device], instants[i + 3, device]
            now_boot, now_seq = remembered(boot[r]), remembered(seq[r])
            result[r] = 0.0
            if was_boot != 0 and not goes_on(was_boot, was_seq, now_boot, now_seq):
                if not jumped:
                    jumped, other_boot, other_seq = True, instants[i + 4, device], instants[i + 5, device]
                if other_boot != 0 and goes_on(other_boot, other_seq, now_boot, now_seq):
                    result[r] = 1.0
                other_boot, other_seq = was_boot, was_seq
            was_boot, was_seq, was_at, due = now_boot, now_seq, at[r], until[r]
        if known:
            owners[k], kept_at[0, k], kept_at[1, k] = device, was_at, due
            kept_at[2, k], kept_at[3, k] = was_boot, was_seq
            k += 1
        if jumped:
            two_of[e], others[0, e], others[1, e] = device, other_boot, other_seq
            e += 1
    whole[CHANGED], whole[3] = k, e


@also_compiled
def median(numbers: Any, many: Any, least: Any) -> Any:
    """Return the median of `numbers`, of which the first so many are known; sorts them."""
    if many < least:
        return NAN
    for a in range(1, many):
        one, b = numbers[a], a
        while b > 0 and numbers[b - 1] > one:
            numbers[b] = numbers[b - 1]
            b -= 1
        numbers[b] = one
    return (numbers[(many - 1) // 2] + numbers[many // 2]) / 2


@also_compiled
def concluded(cells: Any, begin: Any, number: Any, slot_us: Any, slopes: Any, room: Any) -> Any:
    """Return what the eight slots of a level say before slot `number`."""
    many = 0
    if not slopes:
        for c in range(SLOTS):
            if not math.isnan(cells[begin + c]):
                room[many] = cells[begin + c]
                many += 1
        return median(room, many, KNOWN)
    days = slot_us / 86_400_000_000
    for a in range(SLOTS):
        early = cells[begin + (number + a) % SLOTS]
        for b in range(a + 1, SLOTS):
            slope = (cells[begin + (number + b) % SLOTS] - early) / ((b - a) * days)
            if not math.isnan(slope):
                room[many] = slope
                many += 1
    return median(room, many, KNOWN * (KNOWN - 1) // 2)


@also_compiled
def advanced(cells: Any, levels: Any, old: Any, new: Any, slot_us: Any, slopes: Any, room: Any) -> None:
    """Complete the slot of a device that has moved on to another one."""
    for level in range(levels):
        begin = level * WIDTH
        total, count = cells[begin + SUM], cells[begin + COUNT]
        mean = NAN
        if count > 0:
            mean = (0.0 if math.isnan(total) else total) / max(count, 1.0)
        cells[begin + old % SLOTS] = mean
        for ahead in range(1, min(SLOTS, new - old) + 1):
            cells[begin + (old + ahead) % SLOTS] = NAN
        cells[begin + SUM] = 0.0
        cells[begin + COUNT] = 0.0
        cells[begin + NORMAL] = concluded(cells, begin, new, slot_us, slopes, room)


def slots(
    whole: Any, at: Any, late: Any, first: Any, last: Any, whose: Any, values: Any, instants: Any,
    value: Any, level: Any, result: Any, owners: Any, kept: Any, kept_at: Any,
    learned_by: Any, learned_in: Any, learned: Any, cells: Any, room: Any, touched: Any,
) -> None:  # fmt: skip
    """rules.context.memory.slots.compute.

    Args:
        whole: also from 3 on: the length of a slot, how many levels, whether slopes are concluded, whether
            only what is near is learned; and where goes how many cells `learned_by` devices change alone.
        level: (n,), or empty where there is one. cells, room, touched: (levels * 11,), (64,), (levels,) room.
    """
    v, i, k, e = whole[VALUE], whole[INSTANT], 0, 0
    slot_us, levels, slopes, near_only = whole[3], whole[4], whole[5] != 0, whole[6] != 0
    for g in range(whose.size):
        device = whose[g]
        known, moved = False, False
        present = np.int64(0)
        for r in range(first[g], last[g] + 1):
            result[r] = NAN
            if late[r] or math.isnan(value[r]) or (levels > 1 and math.isnan(level[r])):
                continue
            if not known:
                known, present = True, instants[i, device]
                for one in range(levels):
                    touched[one] = 0
            number = at[r] // slot_us
            if number != present:
                if not moved:
                    for c in range(levels * WIDTH):
                        if not (touched[c // WIDTH] and c % WIDTH >= SUM):
                            cells[c] = number_of(values[v + c, device])
                    for one in range(levels):
                        touched[one] = 1
                moved = True
                advanced(cells, levels, present, number, slot_us, slopes, room)
                present = number
            mine = np.int64(0)
            if levels > 1:
                mine = np.int64(min(max(np.rint(level[r] / 20), 0.0), levels - 1.0))
            begin = mine * WIDTH
            if not touched[mine]:
                touched[mine] = 1
                for c in range(SUM, WIDTH):
                    cells[begin + c] = number_of(values[v + begin + c, device])
            normal = cells[begin + NORMAL]
            result[r] = normal
            if not near_only or math.isnan(normal) or abs(value[r] - normal) <= LEARN_WITHIN * abs(normal):
                cells[begin + SUM] += value[r]
                cells[begin + COUNT] += 1.0
        if moved:
            owners[k], kept_at[0, k] = device, present
            for c in range(levels * WIDTH):
                kept[c, k] = cells[c]
            k += 1
        elif known:
            for one in range(levels):
                if touched[one]:
                    for c in (SUM, COUNT):
                        learned_by[e], learned_in[e] = device, v + one * WIDTH + c
                        learned[e] = cells[one * WIDTH + c]
                        e += 1
    whole[CHANGED], whole[7] = k, e


def total(
    whole: Any, at: Any, until: Any, late: Any, first: Any, last: Any, whose: Any, values: Any, instants: Any,
    value: Any, result: Any, owners: Any, kept: Any, kept_at: Any,
) -> None:  # fmt: skip
    """rules.context.memory.aggregates.total; whole[3]: of how many microseconds."""
    v, i, k = whole[VALUE], whole[INSTANT], 0
    for g in range(whose.size):
        device = whose[g]
        known = False
        was, was_at, due, so_far = NAN, np.int64(0), np.int64(0), np.int64(0)
        for r in range(first[g], last[g] + 1):
            result[r] = NAN
            if late[r] or math.isnan(value[r]):
                continue
            if not known:
                known = True
                was = number_of(values[v, device])
                was_at, so_far = instants[i, device], instants[i + 2, device]
            area = (value[r] + was) / 2 * (at[r] - was_at) / whole[3]
            if not math.isnan(area):
                so_far += np.int64(np.rint(area * 1e6))
            result[r] = so_far / 1e6
            was, was_at, due = value[r], at[r], until[r]
        if known:
            owners[k], kept[0, k] = device, was
            kept_at[0, k], kept_at[1, k], kept_at[2, k] = was_at, due, so_far
            k += 1
    whole[CHANGED] = k


def pace(
    whole: Any, at: Any, wait: Any, counted: Any, first: Any, last: Any, whose: Any, watermark: Any,
    gaps: Any, slow_at: Any, slow_until: Any, brisk_since: Any, wait_us: Any, ratio: Any, known: Any,
    number: Any, odd: Any, owners: Any, kept: Any, learned_by: Any, learned_from: Any,
) -> None:  # fmt: skip
    """rules.context.memory.pace.learn, but for the gaps' codes and what follows from them.

    Args:
        whole: where go how many owners, and of `learned_by` and `learned_from`, the gaps to be kept as rows
            of the state and of the step; from 3 on how many rows are odd, whether any is slow, whether any
            device was odd.
    """
    k, e = 0, 0
    for g in range(whose.size):
        device = whose[g]
        many, seen = 0, 0
        for r in range(first[g], last[g] + 1):
            many += counted[r]
        if not many:
            for r in range(first[g], last[g] + 1):
                known[r], odd[r], ratio[r] = 0, 0, NAN
            continue
        before, waited, n = watermark[device], wait_us[device], gaps[device]
        slow, until, brisk = slow_at[device], slow_until[device], brisk_since[device]
        if n < until or (n >= KEPT and before - brisk >= BRISK_FOR_US):
            whole[5] = 1
        for r in range(first[g], last[g] + 1):
            known[r], odd[r], ratio[r] = 0, 0, NAN
            if not counted[r]:
                continue
            counts = before != 0 and waited > 0
            share = NAN
            if counts:
                share = np.float64(at[r] - before) / np.float64(waited)
            is_slow = counts and share > SLOW
            if is_slow:
                slow = at[r]
            if not share < BRISK:
                brisk = at[r]
            if counts and (share >= BRISK or at[r] - slow >= EVENTS_FOR_US):
                n += 1
                known[r] = 1
                if many - seen <= KEPT:
                    learned_by[e], learned_from[e] = device, r
                    e += 1
            if is_slow:
                until = n + KEPT
                whole[4] = 1
            if n < until or (n >= KEPT and at[r] - brisk >= BRISK_FOR_US):
                odd[r] = 1
                whole[3] += 1
            ratio[r], number[r] = share, n
            before, waited = at[r], wait[r]
            seen += 1
        owners[k], kept[0, k], kept[1, k], kept[2, k] = device, n, slow, until
        kept[3, k], kept[4, k] = brisk, waited
        k += 1
    whole[0], whole[1] = k, e


def windows(
    first: Any, last: Any, whose: Any, known: Any, number: Any, odd: Any, code: Any, gaps: Any, gap: Any,
    ring: Any, found: Any,
) -> None:  # fmt: skip
    """rules.context.memory.pace.windows_of, in any order: `found` (m, KEPT), of the m odd rows."""
    m = 0
    for g in range(whose.size):
        loaded = False
        for r in range(first[g], last[g] + 1):
            if not known[r] and not odd[r]:
                continue
            if not loaded:
                loaded = True
                for c in range(KEPT):
                    ring[c] = gap[c, whose[g]] if c < gaps[whose[g]] else ABSENT
            if known[r]:
                ring[(number[r] - 1) % KEPT] = code[r]
            if odd[r]:
                for c in range(KEPT):
                    found[m, c] = ring[c]
                m += 1
