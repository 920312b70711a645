"""`nabd profile`: what it lists, says of mistakes, and makes of a message."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nabd.cli import app

OWN = """
profile = "own"
title = "Own"
kind = "bin"
[[payload]]
fields = [{name = "fill", type = "u8"}]
[[readings]]
[readings.values]
fill_pct = {from = "fill", none = [255]}
[[examples]]
says = "half"
hex = "32"
gives = [{fill_pct = 50}]
"""


def nabd(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["profile", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def documents(*arguments: str) -> list[dict[str, Any]]:
    _, out, _ = nabd(*arguments, "--json")
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NABD_PROFILES_DIR", str(tmp_path))
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    return tmp_path


def test_list_says_whose_profiles_are_and_what_one_waits_for(directory: Path) -> None:
    found = {one["profile"]: one for one in documents("list")}

    assert (found["own"]["own"], found["dragino-ldds75"]["own"]) == (True, False)
    assert found["milesight-em500-smtc"]["waits_for_kind"] == "soil_probe"


def test_list_tells_the_mistake_of_a_file_and_exits_with_1(directory: Path) -> None:
    (directory / "own.toml").write_text(OWN.replace("fill_pct = {", "fil_pct = {"), encoding="utf-8")

    code, out, said = nabd("list")

    assert code == 1
    assert "dragino-ldds75" in out
    assert f"{directory}/own.toml:9:1: 'fil_pct' is no measurement of a bin" in said
    assert "did you mean fill_pct?" in said


def test_show_says_where_each_measurement_stands() -> None:
    (found,) = documents("show", "dragino-ldds75")

    battery = next(one for one in found["measurements"] if one["measurement"] == "battery_v")
    assert (battery["from"], battery["unit"], battery["becomes"]) == (["battery"], "mV", "V")
    assert 'profile = "dragino-ldds75"' in nabd("show", "dragino-ldds75", "--source")[1]


def test_show_prints_the_kind_that_a_profile_waits_for() -> None:
    assert 'name = "soil_probe"' in nabd("show", "milesight-em500-smtc", "--kind")[1]

    code, _, said = nabd("show", "dragino-ldds75", "--kind")
    assert (code, "declares itself" in said) == (1, True)


def test_check_runs_the_examples(directory: Path) -> None:
    assert nabd("check", str(directory / "own.toml"))[0] == 0

    (directory / "own.toml").write_text(OWN.replace("fill_pct = 50", "fill_pct = 51"), encoding="utf-8")
    code, _, said = nabd("check", str(directory / "own.toml"))

    assert code == 1
    assert "example 'half': fill_pct is 50.0, not 51" in said


def test_check_tells_every_mistake_with_its_place(directory: Path) -> None:
    (directory / "own.toml").write_text(OWN.replace('"u8"', '"u9"').replace("none", "nun"), encoding="utf-8")

    (found,) = documents("check", str(directory / "own.toml"))

    assert [(m["line"], m["column"]) for m in found["mistakes"]] == [(6, 27), (9, 28)]


def test_test_shows_the_reading_of_bytes() -> None:
    (found,) = documents("test", "milesight-em310-udl", "--hex", "01755C 03824408 040001", "--port", "85")

    assert found["refused"] is None
    (reading,) = found["readings"]
    assert (reading["distance_mm"], reading["battery_pct"], reading["tilt_deg"]) == (2116, 92, 90)


def test_test_takes_a_file_and_shows_what_was_left(directory: Path, tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text('{"fill": 62.5, "extra": 1}', encoding="utf-8")

    (found,) = documents("test", str(directory / "own.toml"), "--sample", str(sample))

    assert found["readings"][0]["fill_pct"] == 62.5
    assert [one["where"] for one in found["unread"]] == ["extra"]
    assert "nothing in the profile asks for it" in nabd("test", "own", "--sample", str(sample))[1]


def test_test_takes_an_event_of_a_network_server(tmp_path: Path) -> None:
    sample = tmp_path / "up.json"
    event = {
        "deviceInfo": {"devEui": "a84041000181c061"},
        "time": "2026-03-01T07:30:00Z",
        "fCnt": 12,
        "fPort": 85,
        "data": "AXVcA4JECAQAAQ==",
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -97, "snr": 7.5}],
    }
    sample.write_text(json.dumps(event), encoding="utf-8")
    topic = "application/1/device/a84041000181c061/event/up"

    (found,) = documents(
        "test", "milesight-em310-udl", "--sample", str(sample), "--format", "chirpstack", "--topic", topic
    )

    (reading,) = found["readings"]
    assert (reading["device"], reading["seq"], reading["rssi_dbm"]) == ("A84041000181C061", 12, -97)
    assert reading["ts"] == "2026-03-01T07:30:00+00:00"


def test_test_refuses_a_message_without_a_measurement_and_says_what_it_found(directory: Path) -> None:
    code, _, said = nabd("test", "own", "--hex", "ff")

    assert code == 1
    assert "not measured: fill = 255: fill_pct: stands for not measured" in said


def test_test_runs_the_codec_beside_the_profile(directory: Path) -> None:
    text = OWN.replace('[[payload]]\nfields = [{name = "fill", type = "u8"}]\n', 'codec = "own.js"\n')
    (directory / "own.toml").write_text(text, encoding="utf-8")
    code = "function decodeUplink(input) { return {data: {fill: input.bytes[0] / 2}}; }"
    (directory / "own.js").write_text(code, encoding="utf-8")

    (found,) = documents("test", "own", "--hex", "64", "--port", "1")

    assert found["readings"][0]["fill_pct"] == 50


def test_encode_shows_what_a_command_is_by_a_template_and_by_a_codec(directory: Path) -> None:
    text = OWN.replace('[[payload]]\nfields = [{name = "fill", type = "u8"}]\n', 'codec = "own.js"\n')
    text += '[downlinks.set_interval]\nport = 7\nconfirmed = false\ndata = {minutes = "{interval_s}"}\n'
    (directory / "own.toml").write_text(text, encoding="utf-8")
    code = "function encodeDownlink(input) { return {bytes: [1, input.data.minutes / 60]}; }"
    (directory / "own.js").write_text(code, encoding="utf-8")

    (by_codec,) = documents("encode", "own", "set_interval", "--arg", "interval_s=600")
    _, by_template, _ = nabd("encode", "milesight-em310-udl", "set_interval", "--arg", "interval_s=600")

    assert by_codec == {
        "profile": "own",
        "command": "set_interval",
        "port": 7,
        "hex": "010a",
        "confirmed": False,
    }
    assert by_template == "port 85: ff 03 58 02, confirmed\n"
    assert "commands: reboot, set_interval" in nabd("show", "milesight-em310-udl")[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("encode", "milesight-em310-udl", "rebot"), "encoded; did you mean 'reboot'?"),
        (("encode", "milesight-em310-udl", "set_interval"), "args.interval_s: set_interval needs a number"),
        (
            ("encode", "milesight-em310-udl", "set_interval", "--arg", "interval_s=70000"),
            "interval_s: 70000 does not fit into u16",
        ),
        (("test", "none", "--hex", "01"), "there is no profile none, nor a file of that name"),
        (("test", "dragino-ldds75", "--hex", "0x0"), "non-hexadecimal"),
        (("show", "none"), "there is no profile none"),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], reason: str) -> None:
    code, _, said = nabd(*arguments)

    assert code == 1
    assert reason in said


def test_test_of_a_file_runs_its_own_codec_where_a_known_profile_has_its_name(
    directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = OWN.replace('[[payload]]\nfields = [{name = "fill", type = "u8"}]\n', 'codec = "own.js"\n')
    mine = tmp_path_factory.mktemp("mine")
    for where, fill in ((directory, 1), (mine, 2)):
        (where / "own.toml").write_text(text, encoding="utf-8")
        (where / "own.js").write_text(
            f"function decodeUplink() {{ return {{data: {{fill: {fill}}}}} }}", encoding="utf-8"
        )

    (known,) = documents("test", "own", "--hex", "32")
    (file,) = documents("test", str(mine / "own.toml"), "--hex", "32")

    assert [one["readings"][0]["fill_pct"] for one in (known, file)] == [1, 2]
    assert documents("show", str(mine / "own.toml"))[0]["file"] == str(mine / "own.toml")
