"""Reads whole PUBLISH packets of MQTT 5 one after the other. Written in what of Python numba compiles.

What it takes, it takes exactly as the codec `mqtt5` does; at whatever else it stops, never guessing: that
packet is left to the codec. How it stays inside its arrays: positions in `data` are compared with where that
ends, and what is written to with its length, before.
"""

from __future__ import annotations

from typing import Any

from devices.wire.compiled.constants import FULL, HASH_SHIFT, INCOMPLETE, ODD, TOPIC_LIMIT, TRIES
from devices.wire.compiled.lexemes import I, U, also_compiled

MESSAGES, BYTES, AT, WHY, TOPICS, TOPIC_BYTES = range(6)
"""What `used` says: messages, bytes of `text`, where the packet begins that is not read, and why not; topics
that have numbers, and bytes of them."""


@also_compiled
def number_of(
    data: Any, p: Any, n: Any, h: Any, table: Any, topic_at: Any, topics: Any, used: Any
) -> Any:  # fmt: skip
    """Return the number of a topic of n bytes, a new one if it has none; -1 where there is no room for it.

    topics: all of them, topic k from topic_at[0, k], topic_at[1, k] bytes. table: numbers by hash.
    """
    mask = U(table.size - 1)
    place = h >> U(HASH_SHIFT)
    for _ in range(TRIES):
        k = I(table[place & mask])
        if k < 0:
            k, a = used[TOPICS], used[TOPIC_BYTES]
            if k >= topic_at.shape[1] or a + n > topics.size:
                break
            for letter in range(n):
                topics[U(a + letter)] = data[U(p + letter)]
            topic_at[0, U(k)] = a
            topic_at[1, U(k)] = n
            table[place & mask] = k
            used[TOPICS] = k + 1
            used[TOPIC_BYTES] = a + n
            return k
        if topic_at[1, U(k)] == n:
            a = topic_at[0, U(k)]
            i = I(0)
            while i < n and data[U(p + i)] == topics[U(a + i)]:
                i += 1
            if i == n:
                return k
        place += U(1)
    return I(-1)


def frame(
    data: Any, used: Any, keys: Any, table: Any, topic_at: Any, topics: Any,
    text: Any, spans: Any, counts: Any, numbers: Any, packet_ids: Any, names: Any,
) -> None:  # fmt: skip
    """Read packets until one is not whole, not certain, or there is no room.

    Args:
        data: what came, from used[AT] on.
        used: (6,) see above.
        keys: (2,) what hashes begin with, and are multiplied with.
        table, topic_at, topics: topics that have numbers.
        text, spans: the payloads with a NUL behind each; (2, most) where each begins and ends.
        counts: (2, most) how many { and how many , are in each.
        numbers, packet_ids: (most,) of topics, -1 of one without; 0 where nothing is to be acknowledged.
        names: (2, most) where topics lie in `data`, and how many bytes each has.
    """
    size, most = I(data.size), I(numbers.size)
    m, o, start = used[MESSAGES], used[BYTES], used[AT]
    why = I(INCOMPLETE)
    while start + 2 <= size:
        head = I(data[U(start)])
        qos = (head >> 1) & 3
        if head >> 4 != 3 or qos > 1 or (qos == 0 and head & 8):
            why = I(ODD)
            break
        p = start + 1
        length, shift = I(0), I(0)
        c = I(128)
        while c >= 128 and p < size and shift < 28:
            c = I(data[U(p)])
            length |= (c & 127) << shift
            shift += 7
            p += 1
        if c >= 128 or (c == 0 and shift > 7):
            # Longer than four bytes, or with a last one that says nothing: no length that anybody writes.
            if c < 128 or shift >= 28:
                why = I(ODD)
            break
        end = p + length
        if end > size:
            break
        if length < 3:
            why = I(ODD)
            break
        n = (I(data[U(p)]) << 8) | I(data[U(p + 1)])
        topic = p + 2
        p = topic + n
        if n == 0 or n > TOPIC_LIMIT or p + 2 * qos + 1 > end:
            why = I(ODD)
            break
        h = keys[0]
        plain = True
        for i in range(topic, p):
            b = data[U(i)]
            if b < 33 or b > 126 or b == 35 or b == 43:
                plain = False
            h = (h ^ U(b)) * keys[1]
        packet = I(0)
        if qos == 1:
            packet = (I(data[U(p)]) << 8) | I(data[U(p + 1)])
            p += 2
        # Properties are left to the codec, and so is a packet id that none may have.
        if not plain or (qos == 1 and packet == 0) or data[U(p)] != 0:
            why = I(ODD)
            break
        p += 1
        if m >= most or o + end - p + 1 > text.size:
            why = I(FULL)
            break
        spans[0, U(m)] = o
        braces, commas = I(0), I(0)
        for i in range(p, end):
            b = data[U(i)]
            text[U(o + i - p)] = b
            braces += I(b == 123)
            commas += I(b == 44)
        o += end - p
        text[U(o)] = 0
        spans[1, U(m)] = o
        o += 1
        counts[0, U(m)] = braces
        counts[1, U(m)] = commas
        numbers[U(m)] = number_of(data, topic, n, h, table, topic_at, topics, used)
        packet_ids[U(m)] = packet
        names[0, U(m)] = topic
        names[1, U(m)] = n
        m += 1
        start = end
    used[MESSAGES] = m
    used[BYTES] = o
    used[AT] = start
    used[WHY] = why
