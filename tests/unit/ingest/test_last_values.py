"""A sensor's code, and what cannot be: suspect until a second reading, and no fire until then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pytest

from devices.columns import Columns, empty_values
from devices.kinds import load
from devices.kinds.kind import UNCONFIRMED, Kind
from ingest.decide.last_values import LastValues
from ingest.decide.quality import quality

BIN, LIGHT, DRONE = (load()[name] for name in ("bin", "light", "drone"))
MINUTE_US = 60_000_000


def sent(kind: Kind, device: int = 1, **values: Sequence[float]) -> Columns:
    """Return readings of one device, ten minutes apart."""
    return sent_of(kind, values, device=device)


def sent_of(
    kind: Kind, values: Mapping[str, Sequence[float]], *, every_min: float = 10, device: int = 1
) -> Columns:
    """Return readings of one device, with the quality that needs no value before."""
    n = len(next(iter(values.values())))
    observed = (every_min * np.arange(n) * MINUTE_US).astype(np.int64)
    columns = Columns(
        kind=kind,
        device_id=np.full(n, device, dtype=np.int32),
        observed_at=observed,
        received_at=observed,
        quality=np.zeros(n, dtype=np.int64),
        boot=np.full(n, -1),
        seq=np.full(n, -1),
        values={**empty_values(kind, n), **{name: np.array(v, dtype=float) for name, v in values.items()}},
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )
    columns.quality = quality(columns)
    return columns


def marks(kind: Kind, name: str, judged: np.ndarray) -> list[bool]:
    return [bool(q >> kind.measurement(name).bit & 1) for q in judged]


@pytest.mark.parametrize("code", [6553.5, 3276.7, 327.67, 255, 85])
def test_one_code_between_two_plausible_readings_is_suspect_and_unconfirmed(code: float) -> None:
    judged = LastValues(BIN).judge(sent(BIN, temperature_c=[24, code, 24]))

    assert marks(BIN, "temperature_c", judged) == [False, True, False]
    assert [bool(q & UNCONFIRMED) for q in judged] == [False, True, False]


def test_a_code_that_a_second_reading_repeats_is_a_value_and_an_impossible_value_is_confirmed() -> None:
    codes = LastValues(BIN).judge(sent(BIN, temperature_c=[24, 85, 85]))
    impossible = LastValues(BIN).judge(sent(BIN, temperature_c=[24, 1400, 1410]))

    assert marks(BIN, "temperature_c", codes) == [False, True, False]
    assert marks(BIN, "temperature_c", impossible) == [False, True, True]
    assert [bool(q & UNCONFIRMED) for q in impossible] == [False, True, False]


@pytest.mark.parametrize(
    "said", [[24, 3276.7, 327.67], [24, np.nan, 255, np.nan, 327.67], [24, -127, -127, 85], [24, 85, 255]]
)
def test_another_code_confirms_none(said: list[float]) -> None:
    """A broken thermometer says whatever it likes; only a second reading that says the same counts."""
    judged = LastValues(BIN).judge(sent(BIN, temperature_c=said))

    assert marks(BIN, "temperature_c", judged)[-1]
    assert judged[-1] & UNCONFIRMED


def test_a_code_said_now_and_then_confirms_none_however_readings_are_cut_into_batches() -> None:
    """A thermometer with a broken cable says nothing for hours, a code, and nothing again."""
    temperatures = [24, 85, np.nan, 85, 85, np.nan, np.nan, 85, 24]
    columns = sent(BIN, temperature_c=temperatures, fill_pct=[1.0] * len(temperatures))

    for cut in range(len(temperatures)):
        known, parts = LastValues(BIN), []
        for start, end in pairwise((0, cut, len(temperatures))):
            parts.append(known.judge(columns.take(np.arange(start, end))))
            known.committed()
        marked = marks(BIN, "temperature_c", np.concatenate(parts))
        assert [i for i, one in enumerate(marked) if one] == [1, 3, 7]


@pytest.mark.parametrize("rise", [[24, 120], [24, 84.9], [24, 70, 85], [84, 85], [84, np.nan, 85]])
def test_a_true_fire_is_good_at_its_first_reading(rise: list[float]) -> None:
    assert not LastValues(BIN).judge(sent(BIN, temperature_c=rise)).any()


def test_the_value_before_is_the_last_one_known_however_readings_are_cut_into_batches() -> None:
    temperatures = [24, np.nan, 85, 24, 1400, np.nan, 1500, 85, 85]
    fills = [1.0] * len(temperatures)
    columns = sent(BIN, temperature_c=temperatures, fill_pct=fills)
    whole = LastValues(BIN).judge(columns)

    for cut in range(1, len(temperatures)):
        known = LastValues(BIN)
        parts = []
        for start, end in pairwise((0, cut, len(temperatures))):
            parts.append(known.judge(columns.take(np.arange(start, end))))
            known.committed()
        assert np.concatenate(parts).tolist() == whole.tolist()


def test_what_is_rolled_back_is_forgotten() -> None:
    known = LastValues(BIN)
    known.judge(sent(BIN, temperature_c=[24]))
    known.committed()
    known.judge(sent(BIN, temperature_c=[85]))
    known.rolled_back()

    assert marks(BIN, "temperature_c", known.judge(sent(BIN, temperature_c=[85]))) == [True]


def test_no_reading_at_all_is_judged_too() -> None:
    assert not len(LastValues(BIN).judge(sent(BIN, temperature_c=[])))


def test_devices_are_judged_by_their_own_values() -> None:
    known = LastValues(BIN)
    known.judge(sent(BIN, device=1, temperature_c=[24]))
    known.committed()

    assert marks(BIN, "temperature_c", known.judge(sent(BIN, device=2, temperature_c=[85]))) == [False]


@pytest.mark.parametrize(
    ("name", "every_min", "values", "suspect"),
    [
        ("burn_hours", 15, [3000, 3900, 4800, 4800, 5700], [False, True, True, True, True]),
        ("burn_hours", 15, [3000, 3000, 3001, 3001, 3002], [False] * 5),
        ("burn_hours", 60, [10_800_000, 3000, 3001], [True, False, False]),
        ("energy_kwh", 15, [1204.0, 1226.5, 1249.0, 1249.0], [False, True, True, True]),
        ("energy_kwh", 1440, [1204.0, 1205.0, 1206.2, 0.3, 1.4], [False] * 5),
    ],
)  # fmt: skip
def test_a_counter_faster_than_time_is_suspect_until_it_grows_as_it_can(
    name: str, every_min: float, values: list[float], suspect: list[bool]
) -> None:
    judged = LastValues(LIGHT).judge(sent_of(LIGHT, {name: values}, every_min=every_min))

    assert marks(LIGHT, name, judged) == suspect


@pytest.mark.parametrize(
    ("position", "suspect"),
    [
        ({"lat": [0.0], "lon": [0.0]}, True),
        ({"lat": [32.9], "lon": [13.2], "satellites": [0]}, True),
        ({"lat": [32.9], "lon": [13.2], "gnss_fix": [1]}, True),
        ({"lat": [32.9], "lon": [13.2], "gnss_fix": [3], "satellites": [9]}, False),
        ({"lat": [0.0], "lon": [9.4]}, False),
        ({"satellites": [0]}, False),
    ],
)
def test_a_position_of_nowhere_is_suspect(position: dict[str, list[float]], suspect: bool) -> None:
    columns = sent_of(DRONE, position)

    assert marks(DRONE, "lat", columns.quality) == marks(DRONE, "lon", columns.quality) == [suspect]
