"""What a codec could try from within JavaScript; for code that left the engine see test_codec_processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from devices.codecs.codec import MAX_SOURCE_BYTES, Codec, CodecFailed
from devices.codecs.pool import MAX_BYTES, Codecs
from tests.codec_children import codec_process

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = 1_764_500_000_000_000
GOOD = Codec(
    name="good.js",
    source="function decodeUplink(i) { return { data: { n: i.bytes[0], z: [3, 1].sort() } }; }",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def codecs() -> AsyncIterator[Codecs]:
    """One process for all attacks of this file: what one leaves behind, the next good message would meet."""
    async with Codecs(processes=1) as opened:
        yield opened


async def attempt(codecs: Codecs, source: str, payload: bytes = b"\x01") -> object:
    """Return what a hostile codec gets to return, or why not; a good one must then be right."""
    try:
        answer: object = (await codecs.decode(Codec(name="bad.js", source=source), payload, 1, AT)).values
    except CodecFailed as failed:
        answer = failed.reason
    assert (await codecs.decode(GOOD, b"\x07", 1, AT)).values == {"n": 7, "z": [1, 3]}
    return answer


@pytest.mark.attack("a codec looks for a way out")
async def test_codec_finds_nothing_but_the_language(codecs: Codecs) -> None:
    source = """
    function decodeUplink() {
      var world = Function("return this")();
      return { data: { names: Object.getOwnPropertyNames(world).filter((name) => !/^[A-Z]/.test(name)) } };
    }"""

    answer = await attempt(codecs, source)

    assert isinstance(answer, dict)
    assert sorted(answer["names"]) == [
        *("atob", "btoa", "console", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent"),
        *("escape", "eval", "exports", "globalThis", "isFinite", "isNaN", "module", "parseFloat", "parseInt"),
        *("performance", "queueMicrotask", "undefined", "unescape"),
    ]


@pytest.mark.attack("a codec looks for a way out")
@pytest.mark.parametrize(
    "expression",
    [
        "require('fs').readFileSync('/etc/passwd')",
        "process.env",
        "std.open('/etc/passwd', 'r')",
        "os.exec(['id'])",
        "fetch('http://127.0.0.1')",
        "new Worker('x')",
        "new WebAssembly.Module(new Uint8Array())",
        "Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)",
    ],
)
async def test_what_other_engines_offer_is_not_there(codecs: Codecs, expression: str) -> None:
    answer = await attempt(codecs, f"function decodeUplink() {{ return {{ data: {{ x: {expression} }} }}; }}")

    assert "not defined" in str(answer) or "TypeError" in str(answer)


@pytest.mark.attack("a codec imports a file")
async def test_file_is_not_imported(codecs: Codecs) -> None:
    source = """
    function decodeUplink() {
      import("/etc/hostname").then((found) => { throw found; }, () => { while (true); });
      return { data: { at_once: 1 } };
    }"""

    assert await attempt(codecs, source) == {"at_once": 1}


@pytest.mark.attack("a codec replaces what the sandbox calls")
@pytest.mark.parametrize(
    "trick",
    [
        "JSON.stringify = () => '{\"data\": 5}'; JSON.parse = null;",
        "Object.prototype.toJSON = function () { return this.then; };",
        "Object.prototype.data = { x: 1 }; Object.prototype.errors = undefined;",
        "Array.prototype.map = Array.prototype.slice = () => ({ length: 1e9 });",
        "String.prototype.slice = () => ({});",
        "Array.prototype[Symbol.iterator] = function* () { while (true) yield 'x'; };",
        "Object.defineProperty(Object.prototype, 'then', { get() { while (true); } });",
        "Reflect.ownKeys = () => []; Object.is = () => true; Reflect.deleteProperty = () => true;",
        "Function.prototype.call = () => 1; Error.prototype.toString = () => { while (1); };",
        "Object.setPrototypeOf(globalThis, new Proxy({}, { get() { while (1); }, has: () => true }));",
        "Error.prepareStackTrace = () => { while (1); };",
        "Error.stackTraceLimit = { valueOf() { while (1); } };",
        "RegExp.prototype.exec = () => { while (true); };",
        "for (var name of Object.getOwnPropertyNames(globalThis)) delete globalThis[name];",
        "Object.getPrototypeOf([].values()).next = () => { while (1); };",
        "Object.getPrototypeOf(async function () {}).then = 1; [].concat.kept = 1;",
        "Math.round = () => 0; parseInt = () => 0; undefined = 1;",
        "Object.freeze(globalThis);",
        "globalThis.__defineGetter__('module', () => { while (true); });",
        "Object.defineProperty(globalThis, 'module', { set() { while (true); } });",
    ],
)
async def test_trick_spoils_its_own_codec_at_most(codecs: Codecs, trick: str) -> None:
    source = f"""
    function decodeUplink(input) {{
      if (input.bytes[0] === 1) {{ {trick} return {{ data: {{ tricked: 1 }}, warnings: ["x"] }}; }}
      return {{ data: {{ n: input.bytes[0], list: [1, 2].map((one) => one * 2) }} }};
    }}"""

    await attempt(codecs, source)

    assert await attempt(codecs, source, b"\x02") == {"n": 2, "list": [2, 4]}


@pytest.mark.attack("a codec keeps one device's values for another")
@pytest.mark.parametrize(
    "source",
    [
        "return {}; }); var kept = []; globalThis.keep = (x) => kept.push(x); (function () {",
        "} , globalThis.keep = ((kept) => (x) => kept.push(x))([]), function () {",
        "if (!Math.kept) Math.kept = []; keep = (x) => Math.kept.push(x);",
        "var k = Symbol.for('k'); globalThis[k] ||= []; keep = (x) => globalThis[k].push(x);",
        "Object.defineProperty(globalThis, 'k', { value: globalThis.k || [] }); keep = (x) => k.push(x);",
        "keep = (x) => ((site) => (site.kept = site.kept || []).push(x))(((site) => site)`x`);",
        "keep = (x) => (console.k = console.k || []).push(x);",
        "keep = (x) => (keep.k = keep.k || []).push(x);",
        "keep = (x) => ((k) => (k.kept = k.kept || []).push(x))(Object.getPrototypeOf(function* () {}));",
        "keep = (x) => ((k) => (k.kept = k.kept || []).push(x))(Object.getPrototypeOf(new Map().entries()));",
        "keep = (x) => (Buffer.kept = Buffer.kept || []).push(x);",
        "keep = (x) => (Buffer.prototype.readUInt8.kept = Buffer.prototype.readUInt8.kept || []).push(x);",
        "keep = (x) => (GETTER.kept = GETTER.kept || []).push(x);",
        "keep = (x) => (SETTER.kept = SETTER.kept || []).push(x);",
    ],
)
async def test_nothing_can_be_kept(codecs: Codecs, source: str) -> None:
    of = "Object.getOwnPropertyDescriptor"
    source = source.replace("GETTER", f"{of}(Map.prototype, 'size').get")
    source = source.replace("SETTER", f"{of}(Error.prototype, 'name').set")
    spying = (
        source
        + """
    function decodeUplink(input) { return { data: { kept: keep(input.bytes[0]) } }; }"""
    )

    answers = [await attempt(codecs, spying, bytes([number])) for number in (1, 2, 3)]

    assert all(answer == {"kept": 1} or isinstance(answer, str) for answer in answers), answers


@pytest.mark.attack("a codec throws what cannot be told")
@pytest.mark.parametrize(
    "thrown",
    [
        "({ toString() { while (true); } })",
        "({ toJSON() { throw this; } })",
        "({ get message() { throw 1; } })",
        "new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 2; } })",
        "Symbol('x')",
        "'\\ud800'",
        "'a\\u0000b'",
        "'\\u001b[2J\\u202egnorw\\n2026-11-30 [error] forged'",
        "'x'.repeat(1e6)",
        "10n ** 1000n",
        "Object.assign(new Error(), { name: { toString() { while (true); } } })",
        "Object.create(Error.prototype, { stack: { get() { while (true); } } })",
        "undefined",
    ],
)
async def test_what_is_thrown_becomes_a_short_reason(codecs: Codecs, thrown: str) -> None:
    answer = await attempt(codecs, f"function decodeUplink() {{ throw {thrown}; }}")

    assert isinstance(answer, str)
    assert answer.startswith("codec bad.js: ")
    assert len(answer) < 400
    assert answer.isprintable()
    answer.encode()


@pytest.mark.attack("a codec takes all time or memory")
@pytest.mark.parametrize(
    "body",
    [
        "while (true);",
        "for (;;) { try { for (;;); } catch (e) {} finally { continue; } }",
        "/^(a+)+$/.test('a'.repeat(50) + 'b');",
        "new Array(1e6).fill(0).sort(() => { while (true); });",
        "var s = 'x'; while (true) s += s;",
        "var a = []; while (true) a.push(new Uint8Array(1e6));",
        "new ArrayBuffer(2 ** 40);",
        "var m = new Map(); for (var i = 0; ; i++) m.set(i, {});",
        "function f() { return f() + f(); } f();",
        "eval('('.repeat(1e6));",
        "JSON.parse('['.repeat(1e6));",
        "var o = {}; for (var i = 0; i < 1e5; i++) o = { o }; return { data: o };",
        "return { data: new Proxy({}, { ownKeys() { while (true); } }) };",
        "var promise = Promise.resolve(); (function next() { promise.then(next); next(); })();",
        "return { data: {}, warnings: new Proxy([], { get: (t, k) => k === 'length' ? 1e12 : t[k] }) };",
        "return { data: { get a() { return { get b() { return 'x'.repeat(2 ** 28); } }; } } };",
        "7n ** (7n ** 9n);",
    ],
)
async def test_cost_is_one_message(codecs: Codecs, body: str) -> None:
    answer = await attempt(codecs, f"function decodeUplink(input) {{ {body} return {{ data: {{}} }}; }}")

    assert isinstance(answer, str) or answer == {}


@pytest.mark.attack("a codec keeps memory from message to message")
async def test_memory_that_a_codec_hides_does_not_grow(codecs: Codecs) -> None:
    hoarding = Codec(
        name="hoards.js",
        source="""
        function decodeUplink(input) {
          (Math.kept = Math.kept || []).push(new Uint8Array(200000));
          return { data: { n: input.bytes[0] } };
        }""",
    )

    for number in range(300):
        assert (await codecs.decode(hoarding, bytes([number % 256]), 1, AT)).values == {"n": number % 256}
    process = codec_process()

    assert process.memory_info().rss < 150e6


@pytest.mark.attack("a codec keeps memory from message to message")
async def test_many_that_take_all_they_may_leave_room_for_others(codecs: Codecs) -> None:
    for number in range(24):
        source = f"""
        var all = [];
        function decodeUplink(input) {{
          for (var i = 0; i < 110; i++) all.push(new Uint8Array(100000 + {number}));
          globalThis.all = all;
          return {{ data: {{ n: all.length }} }};
        }}"""
        assert await attempt(codecs, source) == {"n": 110}


@pytest.mark.attack("too large to begin with")
async def test_size_is_refused_before_anything_runs(codecs: Codecs) -> None:
    with pytest.raises(CodecFailed, match="bytes; a codec may have"):
        Codec(name="long.js", source=" " * (MAX_SOURCE_BYTES + 1))
    with pytest.raises(CodecFailed, match="too many"):
        await codecs.decode(GOOD, bytes(MAX_BYTES + 1), 1, AT)
