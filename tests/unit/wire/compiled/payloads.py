"""Payloads for both decoders: what devices send, what careless ones send, and what hostile ones do."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from devices.kinds.kind import Kind, Measurement, ValueType

SPACES = ["", "", "", "", " ", "\n", "\r\n", "\t", "  "]
WORDS = [
    "idle", "flying", "charging", "", " ", "é", "حاوية", "🚁", "x" * 63, "x" * 64, "x" * 65, "é" * 64,
    "é" * 65,
    "\x7f", "null", "1", "/", "~", "\u2028", "\ufffd", "\U0010ffff", "\ud7ff", "\ue000",
]  # fmt: skip
ESCAPES = [
    r"\n", r"\"", r"\\", r"\/", r"\u0041", r"\u0000", r"\ud83d\ude81", r"\ud800", r"\udc00x", r"\x",
    r"\u12",
    "\\", "\x01", "\x1f", "\x00",
]  # fmt: skip
NUMBERS = [
    "0", "-0", "0.0", "-0.0", "1", "-1", "00", "01", "-01", "1.", ".5", "+1", "1e5", "1E5", "1e+5",
    "1e-5", "0e0",
    "1e", "1e+", "1e22", "1e23", "1e-22", "1e-23", "1e308", "1e309", "1e400", "-1e400", "5e-324", "1e-400",
    "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740992.0", "9007199254740993e1",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "999999999999999999", "1000000000000000000",
    "123456789012345678901234567890", "0.1", "0.3", "123456.789e-3", "2.2250738585072014e-308",
    "1e0000000005",
    "0.000000000000000000000001", "1" + "0" * 400, "0." + "0" * 400 + "1", "1.0", "3.0", "1e2", "NaN",
    "Infinity",
    "-Infinity", "0x10", "1_000", "--1", "-", "1e1000000000000", "4.35", "1.7976931348623157e308",
    "1e99999",
]  # fmt: skip
TIMES = [
    "0", "1", "1790000000", "1790000000.25", "1790000000000", "1790000000000.5", "1790000000000000",
    "99999999999",
    "100000000000", "99999999999999", "100000000000000", "72000000000000.7", "99999999999999999",
    "100000000000000000", "99999999999999992", "9007199254740993", "1e10", "1.79e12", "-1", "1e17",
    "0.0000005",
    "0.0000015", "1790000000.0000005",
    '"2026-03-01T07:30:00Z"', '"2026-03-01t07:30:00.5z"', '"2026-03-01 07:30:00.123456789+02:00"',
    '"2026-02-29T00:00:00Z"', '"2028-02-29T23:59:59.999999-23:59"', '"2026-03-01T24:00:00Z"',
    '"2026-03-01T07:30:60Z"', '"2026-13-01T07:30:00Z"', '"2026-00-10T07:30:00Z"', '"2026-04-31T07:30:00Z"',
    '"2026-03-01T07:30:00"', '"2026-03-01T07:30:00.Z"', '"2026-03-01T07:30Z"', '"1969-12-31T23:59:59Z"',
    '"1970-01-01T00:00:00+00:01"', '"0001-01-01T00:00:00+01:00"', '"9999-12-31T23:59:59-23:59"',
    '"2199-12-31T23:59:59Z"', '"2200-01-01T00:00:00Z"', '"2100-02-29T00:00:00Z"', '"2000-02-29T00:00:00Z"',
    '"2026-03-01T07:30:00+24:00"', '"2026-03-01T07:30:00+23:60"', '"2026-03-01T07:30:00+0200"',
    '"2026-03-01T07:30:00,5Z"', '"٢٠٢٦-03-01T07:30:00Z"', '"2026-03-01T07:30:00Z "',
    '" 2026-03-01T07:30:00Z"',
    '"2026-3-1T07:30:00Z"', '"1790000000"', '"soon"', '""', "true", "[]", '"2026-03-01T07:30:00\\u005a"',
    '"2026-03-01_07:30:00Z"', '"2026-03-01T07:30:00−02:00"',
]  # fmt: skip
COUNTERS = [
    "0",
    "1",
    "17",
    "9007199254740993",
    "999999999999999999",
    "9223372036854775807",
    "-1",
    "1.0",
    "1e3",
]
NESTED = ["{}", "[]", '{"a":{"b":[1,2]}}', "[[[]]]", '{"a":1,"a":2}', "[1,]", "{,}", "[" * 40 + "]" * 40]
NAMES = [
    "rssi", "snr", "firmware", "vbat", "x", "", "é", "حرارة", "kind", "device", "raw", "relayed",
    "refused", "TS",
    "ts ", "fill_pc", "fill_pct_", "extra", "quality", "a" * 100, "\x7f",
]  # fmt: skip
WHOLE = [
    b"", b" ", b"null", b"1", b'"x"', b"{}", b" {} ", b"[]", b"[{}]", b"[{},{}]", b"[[]]", b"[{}",
    b"{}}", b"{},{}",
    b"{}{}", b"[{},]", b"[,{}]", b"{,}", b'{"a"}', b'{"a":}', b'{"a":1,}', b"\xef\xbb\xbf{}", b"\x00",
    b"{}\x00",
    b"\x00{}", b'{"x":"\x00"}', b"[" * 5000, b'{"x":' * 5000, b'{"x":' * 40 + b"1" + b"}" * 40,
    b"\xff\xfe{\x00}\x00",
    b"[" + b",".join([b"{}"] * 1000) + b"]", b"[" + b",".join([b"{}"] * 1001) + b"]", b"// {}", b"{} //",
    b"[" + b",".join([b'{"ts":1}'] * 1000) + b"]", b'{"x":"' + b"y" * 65_528 + b'"}',
    b'{"x":"' + b"y" * 65_529 + b'"}',
    b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(41)) + b"}", b'{"ts":1790000000000}\n',
    b'{"ts"\x0b:1}',
    b'1}, {"fill_pct": 2', b"{'ts':1}", b'{"ts":1 2}', b'{"ts":tru}', b'{"ts":nul}', b'{"lid_open":t',
    b'{"x":-',
]  # fmt: skip


def payload(kind: Kind, random: Random) -> bytes:
    """Return one payload."""
    draw = random.random()
    if draw < 0.02:
        return random.choice(WHOLE)
    # Half of them are all well: only those show that columns are the same.
    wild = 0.0 if random.random() < 0.5 else random.choice((0.02, 0.1, 0.5))
    if draw < 0.8:
        said = element(kind, random, wild)
    else:
        said = "[" + ",".join(element(kind, random, wild / 2) for _ in range(random.randint(1, 6))) + "]"
    sent = (random.choice(SPACES) + said + random.choice(SPACES)).encode("utf-8", "surrogatepass")
    return spoilt(sent, random) if random.random() < wild else sent


def relayed(kinds: Sequence[Kind], random: Random) -> bytes:
    """Return one message of a gateway, whose elements say what they are of."""
    if random.random() < 0.03:
        return random.choice(WHOLE)
    wild = 0.0 if random.random() < 0.5 else random.choice((0.02, 0.1, 0.5))
    said = []
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        of = [
            ("kind", f'"{random.choice(kinds).name}"'),
            ("device", f'"{random.choice(("b1", "é", "x" * 65))}"'),
        ]
        if random.random() < 0.3:
            of.append(("relayed", random.choice(("true", "false", "null"))))
        if random.random() < wild:
            of.append(
                (random.choice(("kind", "device", "relayed", "raw", "refused")), anything(random, wild))
            )
        if random.random() < wild:
            of.pop(random.randrange(len(of)))
        said.append(element(random.choice(kinds), random, wild, of))
    text = said[0] if len(said) == 1 and random.random() < 0.5 else "[" + ",".join(said) + "]"
    sent = (random.choice(SPACES) + text).encode("utf-8", "surrogatepass")
    return spoilt(sent, random) if random.random() < wild else sent


def spoilt(sent: bytes, random: Random) -> bytes:
    """Return bytes that a bad link made of others."""
    at = random.randrange(len(sent) + 1)
    match random.randrange(6):
        case 0:
            return sent[:at]
        case 1:
            return sent[:at] + random.randbytes(random.randint(1, 3)) + sent[at + 1 :]
        case 2:
            return sent[:at] + random.choice(b'{}[]",:\\\x00 0-.eE').to_bytes() + sent[at:]
        case 3:
            return sent[:at] + sent[at + random.randint(1, 4) :]
        case 4:
            return sent + sent[:at]
        case _:
            return sent[:at] + bytes([random.randint(0x80, 0xFF)]) + sent[at:]


def element(kind: Kind, random: Random, wild: float, of: Sequence[tuple[str, str]] = ()) -> str:
    """Return one object; `wild`: the share of its tokens that nobody should send; `of`: more members."""
    members = list(of)
    if random.random() < 0.9:
        members.append(("ts", time(random, wild)))
    if random.random() < 0.5:
        members += [(name, one_of(COUNTERS[:5], COUNTERS, random, wild)) for name in ("boot", "seq")]
    several = random.randint(0, len(kind.measurements))
    members += [(m.name, value(m, random, wild)) for m in random.sample(kind.measurements, several)]
    if random.random() < 0.25:
        for _ in range(random.choice((1, 1, 2, 3, 5, 41 if wild else 8))):
            members.append((unknown_name(random, wild), anything(random, wild)))
    if random.random() < 0.3:
        random.shuffle(members)
    if members and random.random() < wild:
        members.append((random.choice(members)[0], anything(random, wild)))
    colon, comma = random.choice(SPACES) + ":" + random.choice(SPACES), random.choice(SPACES) + ","
    return "{" + comma.join(f'"{name}"{colon}{said}' for name, said in members) + random.choice(SPACES) + "}"


def unknown_name(random: Random, wild: float) -> str:
    if random.random() < wild:
        return random.choice(NAMES) + random.choice(ESCAPES)
    return random.choice(NAMES[:8] if wild == 0 else NAMES)


def one_of(sane: Sequence[str], every: Sequence[str], random: Random, wild: float) -> str:
    if random.random() < wild:
        return anything(random, 1.0) if random.random() < 0.3 else random.choice(every)
    return random.choice(sane)


def time(random: Random, wild: float) -> str:
    """Return a `ts`: mostly milliseconds, as most devices say it."""
    if random.random() < wild:
        return one_of(TIMES, TIMES, random, 0.1)
    ms = random.randint(1_780_000_000_000, 1_800_000_000_000)
    match random.randrange(6):
        case 0:
            return f"{ms / 1000:.3f}"
        case 1:
            return str(ms * 1000)
        case 2:
            zone = random.choice(("Z", "z", "+02:00", "-05:30", "+00:00"))
            fraction = random.choice(("", ".5", ".123", ".123456", ".1234567"))
            day = f"{random.randint(1970, 2199)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
            clock = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}"
            return f'"{day}{random.choice("Tt ")}{clock}{fraction}{zone}"'
        case 3:
            return "null"
        case _:
            return str(ms)


def value(measurement: Measurement, random: Random, wild: float) -> str:
    """Return what a device says of a measurement."""
    if random.random() < wild:
        return anything(random, wild)
    if random.random() < 0.1:
        return "null"
    match measurement.type:
        case ValueType.BOOLEAN:
            return random.choice(("true", "false"))
        case ValueType.TEXT:
            return (
                f'"{random.choice(measurement.choices or WORDS)}"' if random.random() < 0.7 else text(random)
            )
        case _:
            return number(random, wild)


def text(random: Random) -> str:
    return f'"{random.choice(WORDS)}{random.choice(("", "", str(random.randint(0, 99))))}"'


def number(random: Random, wild: float) -> str:
    """Return a number: as devices write them, or else as programs do, up to all of its digits."""
    match random.randrange(6) if random.random() < wild else random.choice((0, 2, 2, 2)):
        case 0:
            return str(random.randint(-1000, 1000))
        case 1:
            return repr(random.uniform(-1e3, 1e3))
        case 2:
            return f"{random.uniform(-200, 200):.{random.randint(1, 9)}f}"
        case 3:
            return f"{random.uniform(-10, 10):.{random.randint(1, 17)}e}"
        case 4:
            return f"{random.randint(0, 10 ** random.randint(1, 20))}e{random.randint(-30, 30)}"
        case _:
            return f"{random.randint(0, 10**9)}.{random.randint(0, 10 ** random.randint(1, 12))}"


def anything(random: Random, wild: float) -> str:
    """Return any value, most of them simple ones."""
    if random.random() >= wild:
        return random.choice((number(random, wild), text(random), "true", "false", "null"))
    match random.randrange(6):
        case 0:
            return random.choice(NUMBERS)
        case 1:
            return random.choice(NESTED)
        case 2:
            return f'"{random.choice(WORDS)}{random.choice(ESCAPES)}"'
        case 3:
            return random.choice(TIMES)
        case 4:
            return random.choice(
                ("tru", "nul", "fals", "True", "None", "", "'x'", "undefined", "/*", "t", "n\0ll")
            )
        case _:
            return "".join(
                chr(random.choice((0x22, 0x5C, 0x41, 0xE9, 0xD800, 0x10000, 0x2C))) for _ in range(4)
            )
