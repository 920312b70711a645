"""What JSON is made of, as the kernel reads it: white space, texts, numbers, literals and times.

Each function takes the bytes and a position, and returns where what stands there ends: -1 where it is none,
or one that only the exact path may judge. How they stay inside the bytes: devices.wire.compiled.kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba.extending import register_jitable

from devices.wire.compiled.constants import NO_TIME

F = TypeVar("F", bound=Callable[..., Any])
also_compiled: Callable[[F], F] = register_jitable

U = np.uint64
I = np.int64  # noqa: E741 - the width of every number here
POWERS = np.array([10.0**i for i in range(23)])
WHOLE = 2**53
"""Up to this every whole number is a double."""
DAYS_BEFORE_MONTH = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])


@also_compiled
def blank(text: Any, p: Any) -> Any:
    """Return the first position from p on that is no white space."""
    c = text[U(p)]
    while c == 32 or c == 10 or c == 13 or c == 9:
        p += 1
        c = text[U(p)]
    return p


@also_compiled
def continued(text: Any, p: Any, low: Any, high: Any, more: Any) -> Any:
    """Tell whether a byte from low to high and then `more` bytes of a character follow."""
    c = text[U(p)]
    if c < low or c > high:
        return False
    for _ in range(more):
        p += 1
        c = text[U(p)]
        if c < 128 or c > 191:
            return False
    return True


@also_compiled
def character(text: Any, p: Any) -> Any:
    """Return how many bytes the character beyond ASCII at p has in UTF-8, 0 where it is none."""
    c = text[U(p)]
    if c < 194 or c > 244:
        return 0
    if c < 224:
        return 2 if continued(text, p + 1, 128, 191, 0) else 0
    if c < 240:
        low = 160 if c == 224 else 128
        high = 159 if c == 237 else 191
        return 3 if continued(text, p + 1, low, high, 1) else 0
    low = 144 if c == 240 else 128
    high = 143 if c == 244 else 191
    return 4 if continued(text, p + 1, low, high, 2) else 0


@also_compiled
def string(text: Any, p: Any, key: Any, factor: Any) -> Any:
    """Return where a text without escapes that begins at p ends, its hash, and how many characters it has.

    The end is -1 where there is no such text; p and the end are inside the quotes.
    """
    h = key
    first = p
    inside = I(0)
    while True:
        c = text[U(p)]
        if c == 34:
            return p, h, p - first - inside
        if c < 32 or c == 92:
            return I(-1), h, I(0)
        h = (h ^ U(c)) * factor
        if c < 128:
            p += 1
        else:
            n = character(text, p)
            if n == 0:
                return I(-1), h, I(0)
            for _ in range(1, n):
                p += 1
                h = (h ^ U(text[U(p)])) * factor
            inside += n - 1
            p += 1


@also_compiled
def number(text: Any, p: Any) -> Any:
    """Return where a number ends, its value, and itself where it is written as a whole one (-1: it is not).

    The end is -1 where it is none, or one of which a double is not found by a single exact operation. A whole
    one of 64 bits that no double holds is returned with the value NaN.
    """
    none = I(-1), 0.0, I(-1)
    negative = text[U(p)] == 45
    if negative:
        p += 1
    d = I(text[U(p)]) - 48
    if d < 0 or d > 9:
        return none
    first = p
    m = I(0)
    # Behind a leading zero no digit is taken: whoever asked finds one there instead of a comma.
    while d >= 0 and d <= 9:
        m = m * 10 + d
        p += 1
        if m == 0:
            break
        d = I(text[U(p)]) - 48
    digits = p - first
    exponent = I(0)
    whole = not negative
    if text[U(p)] == 46:
        whole = False
        p += 1
        first = p
        d = I(text[U(p)]) - 48
        while d >= 0 and d <= 9:
            m = m * 10 + d
            p += 1
            d = I(text[U(p)]) - 48
        if p == first:
            return none
        exponent = first - p
        digits -= exponent
    if text[U(p)] == 101 or text[U(p)] == 69:
        whole = False
        p += 1
        down = text[U(p)] == 45
        if down or text[U(p)] == 43:
            p += 1
        first = p
        e = I(0)
        d = I(text[U(p)]) - 48
        while d >= 0 and d <= 9:
            e = e * 10 + d
            p += 1
            d = I(text[U(p)]) - 48
        if p == first or p - first > 4:
            return none
        exponent += -e if down else e
    if digits > 18 or (negative and m == 0):
        return none
    if m > WHOLE:
        return (p, np.nan, m) if whole else none
    if exponent > 22 or exponent < -22:
        return none
    v = np.float64(m)
    v = v / POWERS[U(-exponent)] if exponent < 0 else v * POWERS[U(exponent)]
    return p, (-v if negative else v), (m if whole else I(-1))


@also_compiled
def literal(text: Any, p: Any) -> Any:
    """Return where a literal ends, -1 where there is none, and its value: 1, 0, or NaN for null."""
    c = text[U(p)]
    if c == 110:
        if text[U(p + 1)] == 117 and text[U(p + 2)] == 108 and text[U(p + 3)] == 108:
            return p + 4, np.nan
    elif c == 116:
        if text[U(p + 1)] == 114 and text[U(p + 2)] == 117 and text[U(p + 3)] == 101:
            return p + 4, 1.0
    elif c == 102:  # noqa: SIM102 - one test for each literal
        if text[U(p + 1)] == 97 and text[U(p + 2)] == 108 and text[U(p + 3)] == 115 and text[U(p + 4)] == 101:
            return p + 5, 0.0
    return I(-1), 0.0


@also_compiled
def digits(text: Any, p: Any, n: Any) -> Any:
    """Return the value of n digits at p, -1 where there are fewer."""
    value = I(0)
    for _ in range(n):
        d = I(text[U(p)]) - 48
        if d < 0 or d > 9:
            return I(-1)
        value = value * 10 + d
        p += 1
    return value


@also_compiled
def date_time(text: Any, p: Any) -> Any:
    """Return where a text of RFC 3339 from 1970 to 2199 ends, at its quote, and the instant."""
    none = I(-1), I(0)
    year = digits(text, p, 4)
    if year < 1970 or year > 2199 or text[U(p + 4)] != 45:
        return none
    month = digits(text, p + 5, 2)
    if month < 1 or month > 12 or text[U(p + 7)] != 45:
        return none
    day = digits(text, p + 8, 2)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2:
        last = 29 if leap else 28
    else:
        last = 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31
    if day < 1 or day > last:
        return none
    c = text[U(p + 10)]
    if c != 84 and c != 116 and c != 32:
        return none
    hour = digits(text, p + 11, 2)
    if hour < 0 or hour > 23 or text[U(p + 13)] != 58:
        return none
    minute = digits(text, p + 14, 2)
    if minute < 0 or minute > 59 or text[U(p + 16)] != 58:
        return none
    second = digits(text, p + 17, 2)
    if second < 0 or second > 59:
        return none
    p += 19
    microseconds = I(0)
    if text[U(p)] == 46:
        p += 1
        unit = I(100_000)
        first = p
        d = I(text[U(p)]) - 48
        while d >= 0 and d <= 9:
            microseconds += d * unit
            unit //= 10  # what is finer is cut off
            p += 1
            d = I(text[U(p)]) - 48
        if p == first:
            return none
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    days += DAYS_BEFORE_MONTH[U(month - 1)] + day - 1
    if leap and month > 2:
        days += 1
    c = text[U(p)]
    away = I(0)
    if c == 90 or c == 122:
        p += 1
    elif c == 43 or c == 45:
        h = digits(text, p + 1, 2)
        if h < 0 or h > 23 or text[U(p + 3)] != 58:
            return none
        m = digits(text, p + 4, 2)
        if m < 0 or m > 59:
            return none
        away = h * 60 + m if c == 43 else -(h * 60 + m)
        p += 6
    else:
        return none
    if text[U(p)] != 34:
        return none
    return p, (((days * 24 + hour) * 60 + minute - away) * 60 + second) * 1_000_000 + microseconds


@also_compiled
def time_of(text: Any, p: Any) -> Any:
    """Return where a `ts` ends, -1 where it is none that is certain, and the instant."""
    c = text[U(p)]
    if c == 34:
        p, instant = date_time(text, p + 1)
        return (p + 1 if p >= 0 else p), instant
    if c == 110:
        p, _ = literal(text, p)
        return p, I(NO_TIME)
    p, v, _ = number(text, p)
    # Not more: the exact path, too, has doubles here.
    if not (v >= 0 and v < 1e17):
        return I(-1), I(0)
    return p, I(np.rint(v * (1e6 if v < 1e11 else (1e3 if v < 1e14 else 1.0))))
