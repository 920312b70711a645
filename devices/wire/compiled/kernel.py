"""Scans payloads of one kind straight into columns. Written in the part of Python that numba compiles.

What it takes, it takes exactly as devices.wire.exact does; whatever else it meets it flags, never guessing:
that message is left to the exact path. Only devices.wire.compiled.build and tests import this file.

How it stays inside its arrays: every payload in `text` is followed by a NUL, which no token contains, so that
a position only moves past a byte that was looked at and was none. What is written to is compared with its
length before. Positions index as unsigned numbers, since signed ones may count from the end. Tests run all of
this with bounds checked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.wire.compiled.constants import (
    BOOLEAN,
    COUNTER,
    EXACT,
    HASH_SHIFT,
    LONE,
    MAX_ELEMENTS,
    MAX_PAYLOAD,
    MEMBERS,
    MISSING,
    NO_TIME,
    TEXT,
    TEXT_LIMIT,
    TRIES,
    TS,
)  # fmt: skip
from devices.wire.compiled.frames import frame
from devices.wire.compiled.lexemes import I, U, also_compiled, blank, literal, number, string, time_of

__all__ = ["frame", "scan"]

ROWS, TEXTS, SAID = 0, 1, 2
"""What `used` counts: rows, distinct texts, bytes of unknown keys."""


@also_compiled
def same(text: Any, a: Any, others: Any, b: Any, n: Any) -> Any:
    """Tell whether n bytes are the same."""
    for i in range(n):  # noqa: SIM110 - numba knows no generators
        if text[U(a + i)] != others[U(b + i)]:
            return False
    return True


@also_compiled
def code_of(text: Any, p: Any, n: Any, h: Any, texts: Any, table: Any, used: Any) -> Any:
    """Return the number of a text of n bytes among the distinct ones; -1 where there is no room for it.

    texts: (2, most) begin and length. table: numbers of texts by hash.
    """
    mask = U(table.size - 1)
    place = h >> U(HASH_SHIFT)
    for _ in range(TRIES):
        code = I(table[place & mask])
        if code < 0:
            break
        if texts[1, U(code)] == n and same(text, p, text, texts[0, U(code)], n):
            return code
        place += U(1)
    code = used[TEXTS]
    if code >= texts.shape[1]:
        return I(-1)
    texts[0, U(code)] = p
    texts[1, U(code)] = n
    used[TEXTS] += 1
    if table[place & mask] < 0:
        table[place & mask] = code
    return code


@also_compiled
def known(text: Any, p: Any, n: Any, h: Any, names: Any, name_at: Any, table: Any) -> Any:
    """Return which of the kind's keys a key of n bytes is, -1 for none.

    names: all of them, key k from name_at[k] to name_at[k + 1]. table: keys by hash, never full.
    """
    mask = U(table.size - 1)
    place = h >> U(HASH_SHIFT)
    while True:
        k = I(table[place & mask])
        if k < 0:
            return k
        if name_at[U(k + 1)] - name_at[U(k)] == n and same(text, p, names, name_at[U(k)], n):
            return k
        place += U(1)


@also_compiled
def unknown(text: Any, p: Any, key: Any, factor: Any) -> Any:
    """Return where the simple value at p ends; -1 for any other."""
    c = text[U(p)]
    if c == 34:
        p, _, _ = string(text, p + 1, key, factor)
        return p + 1 if p >= 0 else p
    if c == 45 or (c >= 48 and c <= 57):
        p, _, _ = number(text, p)
        return p
    p, _ = literal(text, p)
    return p


@also_compiled
def keep(text: Any, members: Any, count: Any, said: Any, used: Any) -> Any:
    """Write unknown keys as one JSON object behind what is said already; tell whether there was room."""
    o = used[SAID]
    size = I(1)
    for i in range(count):
        size += members[1, i] - members[0, i] + members[3, i] - members[2, i] + 2
    if o + size > said.size:
        return False
    said[U(o)] = 123
    for i in range(count):
        if i > 0:
            said[U(o)] = 44
        o += 1
        for p in range(members[0, i], members[1, i]):
            said[U(o)] = text[U(p)]
            o += 1
        said[U(o)] = 58
        o += 1
        for p in range(members[2, i], members[3, i]):
            said[U(o)] = text[U(p)]
            o += 1
    said[U(o)] = 125
    used[SAID] = o + 1
    return True


@also_compiled
def element(
    text: Any, p: Any, row: Any, names: Any, name_at: Any, key_table: Any, types: Any, slots: Any, keys: Any,
    numbers: Any, codes: Any, counters: Any, instant: Any, extra: Any, said: Any, texts: Any, text_table: Any,
    follows: Any, members: Any, used: Any,
) -> Any:  # fmt: skip
    """Read the object at p into a row; return where it ends, -1 where it is not all certain."""
    none = I(-1)
    key, factor = keys[0], keys[1]
    if text[U(p)] != 123:
        return none
    extra[2, U(row)] = p
    for column in range(numbers.shape[0]):
        numbers[U(column), U(row)] = np.nan
    for column in range(codes.shape[0]):
        codes[U(column), U(row)] = -1
    counters[0, U(row)] = MISSING
    counters[1, U(row)] = MISSING
    instant[U(row)] = NO_TIME
    count: Any = I(0)
    before: Any = I(types.size)
    p = blank(text, p + 1)
    if text[U(p)] == 125:
        p += 1
    else:
        while True:
            if text[U(p)] != 34:
                return none
            p += 1
            # Devices repeat themselves: the key that followed this one the last time probably does again.
            k: Any = I(follows[U(before)])
            n: Any = I(0)
            if k >= 0:
                n = name_at[U(k + 1)] - name_at[U(k)]
                a = name_at[U(k)]
                i = I(0)
                while i < n and text[U(p + i)] == names[U(a + i)]:
                    i += 1
                if i < n or text[U(p + n)] != 34:
                    k = I(-1)
            end = p + n
            h = U(0)
            if k < 0:
                end, h, _ = string(text, p, key, factor)
                if end < 0:
                    return none
                n = end - p
                k = known(text, p, n, h, names, name_at, key_table)
                if k >= 0:
                    follows[U(before)] = k
            begin = p
            p = blank(text, end + 1)
            if text[U(p)] != 58:
                return none
            p = blank(text, p + 1)
            if k < 0:
                value = p
                p = unknown(text, p, key, factor)
                if p < 0:
                    return none
                # Of two with one name the later value stays, in the earlier place.
                place = I(0)
                while place < count and not (
                    members[1, U(place)] - members[0, U(place)] == n + 2
                    and same(text, begin, text, members[0, U(place)] + 1, n)
                ):
                    place += 1
                if place >= MEMBERS:
                    return none
                members[0, U(place)] = begin - 1
                members[1, U(place)] = end + 1
                members[2, U(place)] = value
                members[3, U(place)] = p
                count = max(count, place + 1)
            else:
                before = k
                type_ = types[U(k)]
                slot = slots[U(k)]
                null = text[U(p)] == 110
                if type_ == TS:
                    p, t = time_of(text, p)
                    if p < 0:
                        return none
                    instant[U(row)] = t
                elif null or type_ == BOOLEAN:
                    p, v = literal(text, p)
                    if p < 0 or type_ == EXACT:
                        return none
                    if type_ == COUNTER:
                        counters[U(slot), U(row)] = MISSING
                    elif type_ == TEXT:
                        codes[U(slot), U(row)] = -1
                    else:
                        numbers[U(slot), U(row)] = v
                elif type_ == TEXT:
                    if text[U(p)] != 34:
                        return none
                    end, h, characters = string(text, p + 1, key, factor)
                    if end < 0 or characters > TEXT_LIMIT:
                        return none
                    code = code_of(text, p + 1, end - p - 1, h, texts, text_table, used)
                    if code < 0:
                        return none
                    codes[U(slot), U(row)] = code
                    p = end + 1
                elif type_ == EXACT:
                    return none
                else:
                    p, v, m = number(text, p)
                    if p < 0:
                        return none
                    if type_ == COUNTER:
                        if m < 0:
                            return none
                        counters[U(slot), U(row)] = m
                    else:
                        if v != v:
                            return none
                        numbers[U(slot), U(row)] = v
            p = blank(text, p)
            if text[U(p)] == 44:
                p = blank(text, p + 1)
            elif text[U(p)] == 125:
                p += 1
                break
            else:
                return none
    extra[0, U(row)] = used[SAID]
    if count > 0 and not keep(text, members, count, said, used):
        return none
    extra[1, U(row)] = used[SAID]
    extra[3, U(row)] = p
    return p


def scan(
    text: Any, spans: Any, names: Any, name_at: Any, key_table: Any, types: Any, slots: Any, keys: Any,
    numbers: Any, codes: Any, counters: Any, instant: Any, extra: Any, said: Any, texts: Any, text_table: Any,
    follows: Any, members: Any, used: Any, message: Any, position: Any, flagged: Any,
) -> None:  # fmt: skip
    """Read n messages; those that are not all certain are flagged and leave no row.

    Args, of which devices.wire.compiled.columns makes all:
        text, spans: payloads with a NUL behind each; (2, n) where these begin and end.
        names, name_at, key_table, types, slots: the kind's keys; names one after the other, k from name_at[k]
            to name_at[k + 1]; by hash; what is to be done with their values, and in which column.
        keys: (2,) what hashes begin with, and are multiplied with.
        numbers, codes, counters, instant, extra, message, position: the last axis is rows; codes count texts,
            extra is where in `said` a
            row's unknown keys begin and end, and where in `text` it does.
        said, texts: what unknown keys say, as JSON; (2, m) where each distinct text begins, and its length.
        text_table, follows, members: to work with; full of -1 at first, but for members.
        used: (3,) how many rows, texts and bytes of `said` are filled.
        flagged: (n,) 1 for a message that is left to the exact path.
    """
    capacity = I(instant.size)
    for i in range(flagged.size):
        flagged[i] = 1
        start = spans[0, i]
        stop = spans[1, i]
        if stop - start > MAX_PAYLOAD:
            continue
        first, said_before = used[ROWS], used[SAID]
        row = first
        p = blank(text, start)
        array = text[U(p)] == 91
        if array:
            p = blank(text, p + 1)
        count = I(0)
        while row < capacity and count < MAX_ELEMENTS:
            p = element(
                text, p, row, names, name_at, key_table, types, slots, keys, numbers, codes, counters,
                instant, extra, said, texts, text_table, follows, members, used,
            )  # fmt: skip
            if p < 0:
                break
            message[U(row)] = i
            position[U(row)] = count if array else LONE
            row += 1
            count += 1
            p = blank(text, p)
            if array and text[U(p)] == 44:
                p = blank(text, p + 1)
                continue
            if array:
                p = blank(text, p + 1) if text[U(p)] == 93 else I(-1)
            if p == stop:
                flagged[i] = 0
            break
        if flagged[i]:
            used[SAID] = said_before
        else:
            used[ROWS] = row
