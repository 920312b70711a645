"""Messages per second of processor time: every process that works for them counts, waiting does not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import psutil

from devices.codecs.codec import Codec, CodecFailed
from devices.codecs.pool import Codecs
from devices.wire.adapters.profile import Profile
from devices.wire.adapters.uplink import Uplink

HERE: Final = Path(__file__).parent
PAYLOAD: Final = bytes.fromhex("01755c 0367e600 03824408 040001".replace(" ", ""))
PORT: Final = 85


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecCost:
    """One codec: messages decoded and read by its profile, a second of processor time of one core.

    sandbox_us: of them, what its own process takes for a message.
    """

    source_bytes: int
    per_s: float
    sandbox_us: float


def of_profile(profile: Profile, messages: int) -> float | None:
    """Return how many documented messages a profile reads per second of a core; None without examples."""
    uplinks = [example.uplink for example in profile.examples if example.gives]
    if not uplinks:
        return None
    for uplink in uplinks:
        profile.read(uplink)
    begun = time.process_time()
    for uplink in islice(cycle(uplinks), messages):
        profile.read(uplink)
    return messages / (time.process_time() - begun)


async def of_codec(profile: Profile, codec: Codec, messages: int, port: int = PORT) -> CodecCost:
    """Ask a codec from here, over its pipes, and read what it returns; one message after the other."""
    uplink = Uplink(device="24E124713C012345", raw=b"", payload=PAYLOAD, port=port)
    async with Codecs(processes=1) as codecs:
        await _read(profile, codec, codecs, uplink)
        children = psutil.Process().children()
        (sandbox,) = (one for one in children if "devices.codecs.sandbox" in one.cmdline())
        begun, spent = time.process_time(), _cpu_s(sandbox)
        for _ in range(messages):
            await _read(profile, codec, codecs, uplink)
        sandbox_s = _cpu_s(sandbox) - spent
        seconds = time.process_time() - begun + sandbox_s
    return CodecCost(
        source_bytes=len(codec.source), per_s=messages / seconds, sandbox_us=sandbox_s / messages * 1e6
    )


async def _read(profile: Profile, codec: Codec, codecs: Codecs, uplink: Uplink) -> None:
    assert uplink.payload is not None
    try:
        decoded = await codecs.decode(codec, uplink.payload, uplink.port, 1_764_500_000_000_000)
    except CodecFailed:
        return
    profile.read(uplink, decoded.values)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def codecs_of_ours() -> Mapping[str, Codec]:
    """Return codecs of different lengths and habits, by what they are to show."""
    small = Codec.read(HERE / "bin.js")
    return {
        "small": small,
        "long": Codec(name="long.js", source=small.source + "".join(islice(_padding(), 60))),
        "extending": Codec(
            name="extending.js",
            source=small.source + "\nNumber.prototype.twice = 1; if ((1).twice !== 1) throw 1;",
        ),
    }


def _padding() -> Iterator[str]:
    """Yield functions, such as long codecs have for channels that a message does not hold."""
    for number in range(1000):
        yield f"""
function readChannel{number}(bytes, at, decoded) {{
  var words = {{ 0: "none", 1: "low", 2: "high", 3: "fault" }};
  var raw = (bytes[at] << 8) | bytes[at + 1];
  if (raw === 0xffff) {{ decoded["channel_{number}_status"] = "error"; return at + 2; }}
  decoded["channel_{number}"] = raw > 0x7fff ? (raw - 0x10000) / 100 : raw / 100;
  decoded["channel_{number}_word"] = words[raw & 3];
  for (var bit = 0; bit < 4; bit++) decoded["channel_{number}_" + bit] = (raw >> bit) & 1 ? "on" : "off";
  return at + 2;
}}
"""
