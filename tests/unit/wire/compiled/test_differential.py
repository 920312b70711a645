"""The compiled path says of every payload what the exact one says, and stays inside its arrays doing so.

NABD_FUZZ_PAYLOADS says how many payloads (`make fuzz`: a million of each kind), NABD_FUZZ_SEED which ones.
"""

from __future__ import annotations

import os
from random import Random
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit

from devices import kinds
from devices.wire import Decoder, Kernel, Splitter
from devices.wire.compiled import frames, kernel, trial
from devices.wire.compiled.columns import ColumnScanner
from devices.wire.compiled.relayed import scanned
from tests.bad_input import cases
from tests.compiled import compiled
from tests.unit.wire.compiled.comparing import culprit, differences
from tests.unit.wire.compiled.payloads import WHOLE, payload, relayed

KINDS = kinds.load()
PAYLOADS = int(os.environ.get("NABD_FUZZ_PAYLOADS", "50000"))
SEED = int(os.environ.get("NABD_FUZZ_SEED", "0")) or Random().randrange(1, 2**32)
BATCH = 1_000
EXACT = {name: Decoder(kind) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def checked() -> Kernel:
    """The kernel compiled so that every index is checked, in all of its functions: one outside raises."""
    scan = njit(error_model="numpy", boundscheck=True)(kernel.scan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "BOUNDSCHECK", 1)
        ColumnScanner(KINDS["bin"]).scanned(scan, [b"{}"])
    return Kernel(scan, few=0)


def compare(kind: str, decoder: Decoder, payloads: list[bytes]) -> None:
    """Fail with the fewest payloads that are told differently."""

    def differ(some: list[bytes]) -> list[str]:
        return differences(EXACT[kind].decode(some), decoder.decode(some))

    if found := differ(payloads):
        few = culprit(payloads, differ)
        pytest.fail(f"NABD_FUZZ_SEED={SEED} {kind}: {found}; {[one[:400] for one in few[:5]]}")


def test_bounds_are_checked(checked: Kernel) -> None:
    columns = ColumnScanner(KINDS["bin"])
    assert checked.scan is not None

    def without_an_end(text: Any, *others: Any) -> None:
        assert checked.scan is not None
        checked.scan(text[:4], *others)

    with pytest.raises(IndexError):
        columns.scanned(without_an_end, [b'{"ts":1}'])


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", KINDS)
def test_random_payloads(kind: str, checked: Kernel, record_property: Any) -> None:
    random = Random(f"{SEED} {kind}")
    decoder, certain, sent = Decoder(KINDS[kind], checked), 0, 0
    assert checked.scan is not None
    for _ in range(-(-PAYLOADS // len(KINDS) // BATCH)):
        payloads = [payload(KINDS[kind], random) for _ in range(BATCH)]
        compare(kind, decoder, payloads)
        sent += len(payloads)
        certain += len(payloads) - len(ColumnScanner(KINDS[kind]).scanned(checked.scan, payloads)[1])
    print(f"NABD_FUZZ_SEED={SEED} {kind}: {sent:,} payloads, {certain:,} of them compiled, no difference")
    record_property("payloads", sent)

    assert certain > sent / 4  # else it is the exact path that was compared, with itself


@pytest.mark.timeout(7200)
def test_random_messages_of_gateways(checked: Kernel) -> None:
    random, exact, splitter = Random(f"{SEED} gateways"), Splitter(), Splitter(checked)
    assert checked.scan is not None
    certain = sent = 0
    for _ in range(-(-PAYLOADS // 10 // BATCH)):
        payloads = [relayed(list(KINDS.values()), random) for _ in range(BATCH)]
        numbers = list(range(100, 100 + BATCH))
        for payload_, one, other in zip(
            payloads, exact.split(numbers, payloads), splitter.split(numbers, payloads), strict=True
        ):
            assert one == other, f"NABD_FUZZ_SEED={SEED}: {payload_[:400]!r}"
        sent += BATCH
        certain += BATCH - len(scanned(checked.scan, numbers, payloads)[1])
    print(f"NABD_FUZZ_SEED={SEED} gateways: {sent:,} messages, {certain:,} of them compiled, no difference")

    assert certain > sent / 8  # most have several elements, each of which may be wild


@pytest.mark.parametrize("kind", KINDS)
def test_the_golden_corpus_and_what_is_not_a_whole_element(kind: str, checked: Kernel) -> None:
    corpus = [p for case in cases() for p in case.payloads]
    for decoder in (Decoder(KINDS[kind], checked), Decoder(KINDS[kind], compiled())):
        compare(kind, decoder, corpus)
        compare(kind, decoder, WHOLE)
        for one in WHOLE:
            compare(kind, decoder, [one])


def test_machine_code_says_the_same_as_what_is_checked(checked: Kernel) -> None:
    random = Random(f"{SEED} machine code")
    for name, kind in KINDS.items():
        compare(name, Decoder(kind, compiled()), [payload(kind, random) for _ in range(3_000)])


def test_numbers_are_the_same_to_the_last_bit(checked: Kernel) -> None:
    random = Random(f"{SEED} numbers")
    said = []
    for _ in range(20_000):
        digits = str(random.randrange(10 ** random.randint(1, 18)))
        point = random.randint(0, len(digits))
        whole, fraction = digits[:point] or "0", digits[point:]
        exponent = random.choice(("", "", "", f"e{random.randint(-25, 25)}", f"E+{random.randint(0, 25)}"))
        sign = random.choice(("", "-")) if int(digits) else ""
        said.append(f"{sign}{int(whole)}{'.' + fraction if fraction else ''}{exponent}")
    decoder = Decoder(KINDS["bin"], checked)

    decoded, rejected = decoder.decode([b'{"fill_pct":%s}' % text.encode() for text in said])

    assert not rejected
    assert (
        decoded.values["fill_pct"].view(np.int64).tolist()
        == np.array([float(text) for text in said]).view(np.int64).tolist()
    )


REAL = {
    "milliseconds and numbers": b'{"ts":1790000000000,"boot":3,"seq":17,"fill_pct":40.5,"lid_open":true}',
    "RFC 3339": b'{"ts":"2026-09-21T14:13:20.250Z","fill_pct":40.5}',
    "an offset": b'{"ts":"2026-09-21T16:13:20+02:00","fill_pct":40.5}',
    "UTF-8": '{"ts":1790000000000,"رمز":"حاوية é 🚁"}'.encode(),
    "several unknown keys": b'{"ts":1790000000000,"rssi":-71,"snr":7.25,"fw":"1.4.2","ok":true,"fill_pct":1}',
    "an array": b'[{"ts":1790000000000,"fill_pct":1},{"ts":1790000060000,"fill_pct":2}]',
    "white space": b' { "ts" : 1790000000000 ,\r\n\t"fill_pct" : null }\n',
}


@pytest.mark.parametrize("case", REAL)
def test_what_devices_send_is_compiled(case: str, checked: Kernel) -> None:
    assert checked.scan is not None
    decoded, left = ColumnScanner(KINDS["bin"]).scanned(checked.scan, [REAL[case]] * 3)

    assert left.tolist() == []
    assert len(decoded) == 3 * (2 if case == "an array" else 1)
    compare("bin", Decoder(KINDS["bin"], checked), [REAL[case]] * 3)


def test_one_message_that_is_left_alone_leaves_its_neighbours(checked: Kernel) -> None:
    columns = ColumnScanner(KINDS["bin"])
    good = REAL["several unknown keys"]
    assert checked.scan is not None

    decoded, left = columns.scanned(
        checked.scan, [good, b'[{"x":1,"fill_pct":7},{"x":"\\n"}]', good, b"{", good]
    )

    assert left.tolist() == [1, 3]
    assert decoded.message.tolist() == [0, 2, 4]
    assert decoded.extra.tolist() == [b'{"rssi":-71,"snr":7.25,"fw":"1.4.2","ok":true}'] * 3


def test_texts_that_collide_or_are_many_cost_no_more_than_a_look(checked: Kernel) -> None:
    """Ten thousand different texts in a batch: more than there are places for."""
    payloads = [b'{"ts":1790000000000,"zone":"z%d"}' % i for i in range(10_000)]

    compare("drone", Decoder(KINDS["drone"], checked), payloads)
    assert checked.scan is not None
    assert not len(ColumnScanner(KINDS["drone"]).scanned(checked.scan, payloads)[1])


def test_code_that_decodes_otherwise_is_noticed_before_anybody_uses_it(checked: Kernel) -> None:
    assert checked.scan is not None
    scan, frame = checked.scan, njit(error_model="numpy", boundscheck=True)(frames.frame)

    def decodes_otherwise(*arrays: Any) -> None:
        scan(*arrays)
        arrays[8][0] += 0.5  # a number is another

    def reads_otherwise(*arrays: Any) -> None:
        frame(*arrays)
        arrays[7][1, 0] += 1  # a payload ends later

    assert trial.agrees({"scan": scan, "frame": frame})
    assert not trial.agrees({"scan": decodes_otherwise, "frame": frame})
    assert not trial.agrees({"scan": scan, "frame": reads_otherwise})
