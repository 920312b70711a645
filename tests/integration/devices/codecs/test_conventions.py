"""Codecs written for The Things Stack, ChirpStack and ThingPark run as they are: all of them our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices import kinds, profiles
from devices.codecs.codec import Codec, CodecFailed
from devices.codecs.pool import Codecs
from devices.codecs.profiled import encoded
from devices.wire.adapters.downlink import Downlink, NotEncoded

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = 1_764_500_000_123_000


def codec(source: str) -> Codec:
    """Return a codec."""
    return Codec(name="ours.js", source=source)


async def values(codecs: Codecs, source: str, payload: bytes = b"\x01\xff", port: int | None = 2) -> object:
    """Return what a codec decodes."""
    return (await codecs.decode(codec(source), payload, port, AT, {"height": "120"})).values


async def test_decode_uplink_is_given_bytes_port_time_and_variables(codecs: Codecs) -> None:
    source = """
    function decodeUplink(input) {
      return { data: { bytes: input.bytes, port: input.fPort, height: input.variables.height,
                       at: input.recvTime.toISOString(), plain: Array.isArray(input.bytes) } };
    }"""

    assert await values(codecs, source) == {
        "bytes": [1, 255],
        "port": 2,
        "height": "120",
        "at": "2025-11-30T10:53:20.123Z",
        "plain": True,
    }


@pytest.mark.parametrize(
    "source",
    [
        "function decodeUplink(i) { return { data: { first: i.bytes[0], port: i.fPort } }; }",
        "const decodeUplink = (i) => ({ data: { first: i.bytes[0], port: i.fPort } });",
        "function Decode(fPort, bytes, variables) { return { first: bytes[0], port: fPort }; }",
        "function Decoder(bytes, port) { return { first: bytes[0], port: port }; }",
        "module.exports.decodeUplink = (i) => ({ data: { first: i.bytes[0], port: i.fPort } });",
        "exports.decodeUplink = (i) => ({ data: { first: i.bytes[0], port: i.fPort } });",
        "module.exports = { decodeUplink: (i) => ({ data: { first: i.bytes[0], port: i.fPort } }) };",
        "this.decodeUplink = (i) => ({ data: { first: i.bytes[0], port: i.fPort } });",
        "'use strict'; let decodeUplink = (i) => ({ data: { first: i.bytes[0], port: i.fPort } }); // end",
        "console.log('x'); function Decoder(b, port) { return { first: b[0], port }; } Decoder([], 1);",
    ],
)
async def test_each_way_to_write_a_decoder_is_understood(codecs: Codecs, source: str) -> None:
    assert await values(codecs, source) == {"first": 1, "port": 2}


async def test_newest_convention_counts_where_a_codec_has_several(codecs: Codecs) -> None:
    source = """
    function Decoder(bytes, port) { return { by: "Decoder" }; }
    function Decode(port, bytes) { return { by: "Decode" }; }
    function decodeUplink(input) { return { data: { by: "decodeUplink" } }; }"""

    assert await values(codecs, source) == {"by": "decodeUplink"}
    assert await codecs.functions(codec(source)) == ["decodeUplink", "Decode", "Decoder"]


async def test_port_is_absent_where_none_is_known(codecs: Codecs) -> None:
    source = "function decodeUplink(input) { return { data: { port: typeof input.fPort } }; }"

    assert await values(codecs, source, port=None) == {"port": "undefined"}


async def test_nothing_of_one_message_meets_the_next(codecs: Codecs) -> None:
    source = """
    var kept = {}, count = 0;
    exports.calls = (exports.calls || 0) + 1;
    function decodeUplink(input) {
      count++;
      if (input.bytes[0] === 1) { kept.temperature = 20; leaked = 1; globalThis.isNaN = null; }
      return { data: { kept, count, leaked: typeof leaked, isNaN: typeof isNaN, calls: exports.calls } };
    }"""

    await values(codecs, source, b"\x01")

    assert await values(codecs, source, b"\x02") == {
        "kept": {},
        "count": 1,
        "leaked": "undefined",
        "isNaN": "function",
        "calls": 1,
    }


async def test_codec_may_extend_what_is_built_in(codecs: Codecs) -> None:
    source = """
    String.prototype.twice = function () { return this + this; };
    function decodeUplink(input) {
      Array.prototype.count = (Array.prototype.count || 0) + 1;
      return { data: { text: "ab".twice(), count: [].count } };
    }"""

    for _ in range(3):
        assert await values(codecs, source) == {"text": "abab", "count": 1}


async def test_objects_of_a_codec_may_have_what_they_would_inherit(codecs: Codecs) -> None:
    source = """
    'use strict';
    function Part(text) { this.text = text; }
    Part.prototype.toString = function () { return "<" + this.text + ">"; };
    Part.prototype.constructor = Part;
    function decodeUplink(input) {
      var found = {}, error = new Error();
      found.toString = 1; found.constructor = 2; error.message = "m"; error.name = "n";
      return { data: { part: "" + new Part("x"), found: found, error: error.name + error.message } };
    }"""

    assert await values(codecs, source) == {
        "part": "<x>",
        "found": {"toString": 1, "constructor": 2},
        "error": "nm",
    }


async def test_buffer_reads_and_writes_as_nodes_does(codecs: Codecs) -> None:
    source = """
    function decodeUplink(input) {
      var b = Buffer.from(input.bytes), w = Buffer.alloc(4);
      w.writeInt16BE(-2, 0); w.writeUInt16LE(513, 2);
      return { data: {
        hex: b.toString("hex"), base64: b.toString("base64"),
        back: Buffer.from("AP8=", "base64").toString("hex"),
        u16: b.readUInt16BE(0), u16le: b.readUInt16LE(0), i16: b.readInt16BE(4), f: b.readFloatBE(8),
        u24: b.readUIntBE(1, 3), i24: b.readIntLE(4, 3), utf8: Buffer.from("\\u00e9").length, size: b.length,
        written: w.toString("hex"), part: b.slice(1, 3).toString("hex"), is: Buffer.isBuffer(b),
        old: new Buffer([65, 66]).toString(), both: Buffer.concat([w, Buffer.from("01", "hex")]).length } };
    }"""

    payload = bytes([1, 2, 3, 4, 0xFF, 0xFE, 0xFF, 0, 0x41, 0xC8, 0, 0])

    assert await values(codecs, source, payload) == {
        "hex": payload.hex(),
        "base64": "AQIDBP/+/wBByAAA",
        "back": "00ff",
        "u16": 258,
        "u16le": 513,
        "i16": -2,
        "f": 25.0,
        "u24": 0x020304,
        "i24": -257,
        "utf8": 2,
        "size": 12,
        "written": "fffe0102",
        "part": "0203",
        "is": True,
        "old": "AB",
        "both": 5,
    }


async def test_codec_may_bring_a_buffer_of_its_own(codecs: Codecs) -> None:
    source = """
    function Buffer(size) { this.size = size; }
    function decodeUplink(input) { return { data: { size: new Buffer(7).size } }; }"""

    assert await values(codecs, source) == {"size": 7}


async def test_warnings_and_what_json_cannot_hold_are_told(codecs: Codecs) -> None:
    source = """
    function decodeUplink(input) {
      return { warnings: ["low battery"], data: {
        level: 0 / 0, far: 1 / 0, helper: function () {}, mark: Symbol("x"), nothing: undefined, none: null,
        serial: 12345678901234567890n, small: 7n, list: new Uint8Array([1, 2]), when: input.recvTime } };
    }"""

    decoded = await codecs.decode(codec(source), b"", 1, AT)

    assert decoded.values == {
        "level": None,
        "far": None,
        "none": None,
        "serial": "12345678901234567890",
        "small": 7,
        "list": [1, 2],
        "when": "2025-11-30T10:53:20.123Z",
    }
    assert list(decoded.warnings) == [
        "low battery",
        "level is NaN",
        "far is Infinity",
        "helper is a function",
        "mark is a symbol",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "function encodeDownlink(input) { return { bytes: [input.data.level, 255], fPort: 5 }; }",
        "function Encode(fPort, obj) { return [obj.level, 255]; }",
        "function Encoder(object, port) { return new Uint8Array([object.level, 255]); }",
    ],
)
async def test_command_becomes_bytes(codecs: Codecs, source: str) -> None:
    encoded = await codecs.encode(codec(source), {"level": 40}, 85)

    assert encoded.payload == bytes([40, 255])
    assert encoded.port == (5 if "fPort: 5" in source else None)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{ bytes: [256] }", "cannot be used"),
        ("{ bytes: [-1] }", "cannot be used"),
        ("{ bytes: [1.5] }", "cannot be used"),
        ("{ bytes: 'AQ==' }", "returned string as bytes"),
        ("{ errors: ['no such command'] }", "no such command"),
        ("{ bytes: [1], fPort: 'x' }", "cannot be used"),
    ],
)
async def test_command_that_makes_no_bytes_is_refused(codecs: Codecs, returned: str, said: str) -> None:
    with pytest.raises(CodecFailed, match=said):
        await codecs.encode(codec(f"function encodeDownlink(input) {{ return {returned}; }}"), {})


async def test_codec_that_only_decodes_says_so(codecs: Codecs) -> None:
    with pytest.raises(CodecFailed, match="has no function encodeDownlink, Encode, Encoder"):
        await codecs.encode(codec("function decodeUplink(input) { return {}; }"), {})


async def told(codecs: Codecs, directory: Path, returned: str) -> Downlink:
    """Return what a command to a device is whose profile has a codec that returns this."""
    (directory / "vendor.js").write_text(f"function encodeDownlink(input) {{ return {returned}; }}")
    (directory / "ours.toml").write_text(
        'profile = "ours"\ntitle = "Ours"\nkind = "bin"\ncodec = "vendor.js"\n'
        '[[readings]]\n[readings.values]\nfill_pct = "fill"\n'
        '[downlinks.set_interval]\nport = 85\ndata = {seconds = "{interval_s}"}\n'
    )
    known = profiles.load(kinds.load(), directory)
    said = known["ours"].downlinks["set_interval"]
    return await encoded(codecs, known.codec("ours"), said, {"interval_s": 1200})


@pytest.mark.parametrize(("port", "heard_on"), [(", fPort: 7", 7), ("", 85)])
async def test_a_command_is_what_the_codec_of_the_profile_makes_of_its_arguments(
    codecs: Codecs, tmp_path: Path, port: str, heard_on: int
) -> None:
    made = await told(codecs, tmp_path, f"{{bytes: [255, 3, input.data.seconds / 60]{port}}}")

    assert made == Downlink(port=heard_on, payload=b"\xff\x03\x14", confirmed=True)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{bytes: []}", "0 bytes: LoRaWAN carries 1 to 242"),
        ("{bytes: [1], fPort: 224}", "port 224 is none of a device's"),
        ("{errors: ['too often']}", "codec vendor.js: too often"),
    ],
)
async def test_a_command_that_no_codec_makes_bytes_of_is_refused(
    codecs: Codecs, tmp_path: Path, returned: str, said: str
) -> None:
    with pytest.raises((NotEncoded, CodecFailed), match=said):
        await told(codecs, tmp_path, returned)
