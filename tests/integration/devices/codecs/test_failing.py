"""A codec that fails says how, in words for whoever looks after it; the next message is decoded."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
import structlog

from devices.codecs import tally
from devices.codecs.codec import Codec, CodecFailed, CodecTooSlow
from devices.codecs.limits import Limits
from devices.codecs.pool import Codecs
from tests.codec_children import codec_process

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT = 1_764_500_000_000_000
SLOW = "ran longer than 100 ms of processor time"
GOOD = Codec(
    name="good.js", source="function decodeUplink(input) { return { data: { n: input.bytes[0] } }; }"
)


async def refusal(codecs: Codecs, source: str, payload: bytes = b"\x01") -> str:
    """Return why a codec failed, having seen that the next message of another is decoded."""
    with pytest.raises(CodecFailed) as caught:
        await codecs.decode(Codec(name="bad.js", source=source), payload, 1, AT)
    assert (await codecs.decode(GOOD, b"\x07", 1, AT)).values == {"n": 7}
    return caught.value.reason.removeprefix("codec bad.js: ")


def decoding(body: str) -> str:
    """Return a codec whose function has this body, in its second line."""
    return f"function decodeUplink(input) {{\n{body}\n}}"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (decoding("return input.no.here;"), "cannot read property 'here' of undefined (line 2)"),
        (decoding("throw new Error('port 9 is not ours');"), "Error: port 9 is not ours (line 2)"),
        (decoding("throw 'plain text';"), "threw plain text"),
        (decoding("throw null;"), "threw null"),
        (decoding("throw { code: 5 };"), 'threw {"code":5}'),
        (decoding("return { errors: ['unknown port', 'short'] };"), "unknown port; short"),
        (decoding("return { errors: 'one text' };"), "one text"),
        (decoding("return;"), "decodeUplink returned undefined; it has to return an object"),
        (decoding("return [1];"), "decodeUplink returned an array; it has"),
        (decoding("return 5;"), "decodeUplink returned number; it has"),
        (decoding("return { temperature: 5 };"), "decodeUplink returned undefined as data"),
        ("async " + decoding("return { data: {} };"), "decodeUplink answers later"),
        ("var x = 1;", "has no function decodeUplink, Decode, Decoder"),
        ("function decodeUplink( {", "SyntaxError"),
        ("missing();", "ReferenceError: missing is not defined (line 1)"),
        ("var fs = require('fs');", "ReferenceError: require is not defined (line 1)"),
        ("import fs from 'fs';", "SyntaxError"),
        (decoding("var a = {}; a.a = a; return { data: a };"), "TypeError: circular reference"),
        (decoding("while (true) {}"), SLOW),
        (decoding("return { data: { get x() { while (true) {} } } };"), SLOW),
        (decoding("return { data: { toJSON() { while (true) {} } } };"), SLOW),
        ("while (true) {}", SLOW),
        (decoding("try { while (true) {} } catch (e) { return { data: {} }; }"), SLOW),
        (decoding("return decodeUplink(input);"), "calls itself too deeply"),
        (decoding("var a = []; while (true) a.push(new Array(1000));"), "needs more than 16 MiB of memory"),
        (decoding("return { data: { x: 'x'.repeat(70000) } };"), "returned 70031 characters"),
        (decoding("var a = {}; for (var i = 0; i < 60; i++) a = [a]; return { data: { a } };"), "32 levels"),
    ],
)  # fmt: skip
async def test_reason_says_what_is_wrong(codecs: Codecs, source: str, said: str) -> None:
    assert said in await refusal(codecs, source)


async def test_messages_of_others_are_decoded_while_a_codec_loops() -> None:
    looping = Codec(name="loops.js", source="function decodeUplink() { while (true) {} }")
    async with Codecs(processes=2) as codecs:
        await codecs.decode(GOOD, b"\x01", 1, AT)
        loops = [asyncio.create_task(codecs.decode(looping, b"", 1, AT)) for _ in range(8)]
        await asyncio.sleep(0)
        for number in range(20):
            assert (await codecs.decode(GOOD, bytes([number]), 1, AT)).values == {"n": number}

        assert sum(task.done() for task in loops) < 4, "good messages waited for looping ones"
        for outcome in await asyncio.gather(*loops, return_exceptions=True):
            assert isinstance(outcome, CodecTooSlow)


async def test_built_in_function_without_end_is_ended_by_the_kernel() -> None:
    source = decoding("return { data: { x: String(7n ** (2n ** 24n)).length } };")
    async with Codecs(limits=Limits(cpu_ms=50)) as codecs:
        assert "processor time" in await refusal(codecs, source)


async def test_process_that_was_killed_meanwhile_is_replaced_without_a_word(codecs: Codecs) -> None:
    await codecs.decode(GOOD, b"\x01", 1, AT)
    child = codec_process()
    child.kill()

    assert (await codecs.decode(GOOD, b"\x02", 1, AT)).values == {"n": 2}


async def test_cancelled_message_leaves_no_answer_for_the_next(codecs: Codecs) -> None:
    slow = Codec(name="slow.js", source=decoding("while (true) {}"))
    await codecs.decode(GOOD, b"\x01", 1, AT)
    task = asyncio.create_task(codecs.decode(slow, b"", 1, AT))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert (await codecs.decode(GOOD, b"\x09", 1, AT)).values == {"n": 9}


async def test_failures_are_logged_once_in_a_while(codecs: Codecs, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Codec(
        name="counted.js", source=decoding("if (input.bytes[0]) throw 'no'; return { data: {} };")
    )
    with structlog.testing.capture_logs() as logs:
        for first in (1, 0, 1, 1):
            with contextlib.suppress(CodecFailed):
                await codecs.decode(failing, bytes([first]), 1, AT)
        monkeypatch.setattr(tally, "TOLD_EVERY_S", 0.0)
        with pytest.raises(CodecFailed):
            await codecs.decode(failing, b"\x01", 1, AT)

    assert [(line["event"], line["codec"], line["reason"], line["messages"]) for line in logs] == [
        ("codec fails", "counted.js", "threw no", 1),
        ("codec fails", "counted.js", "threw no", 3),
    ]
