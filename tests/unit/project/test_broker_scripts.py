"""What deploy/mosquitto/watch does about a slow broker; what scripts ask of the programs of a container."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WATCH = ROOT / "deploy/mosquitto/watch"
SCRIPTS = [
    file
    for file in sorted((ROOT / "deploy").glob("*/*"))
    if file.is_file() and file.read_bytes().startswith(b"#!")
]
LIST = "# nabd: 0 devices\n"
MOSQUITTO = """\
#!/bin/sh
echo tried >>"{directory}/tried"
[ ! -e "{directory}/is-slow" ] || exec sleep 10
echo "1: mosquitto version 2.0.11 running"
exec sleep 10
"""
LOADING = """\
while [ ! -e "{directory}/loaded" ]; do sleep 0.05; done
trap 'echo heard >>"{directory}/heard"' HUP
while :; do sleep 0.05; done
"""
"""A broker that loads its store first: until then SIGHUP ends it."""
SHELL = ["env", "--default-signal=HUP", "sh", "-c"]
"""Tests that are run by nohup hear no SIGHUP, and a shell cannot change that."""
OPTIONS = {"sed": "nef", "grep": "EFclefinqsvx", "rm": "fiRr", "mkdir": "pm", "cp": "fipRHLP", "mv": "fi"}
"""What POSIX has, and BusyBox with it."""


def environment(directory: Path, **more: str) -> dict[str, str]:
    (directory / "incoming").mkdir(exist_ok=True)
    for name, text in (("mosquitto", MOSQUITTO.format(directory=directory)), ("chown", "#!/bin/sh\n")):
        (directory / name).write_text(text, encoding="utf-8")
        (directory / name).chmod(0o755)
    path = f"{directory}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "MQTT_DATA": str(directory), "MQTT_WATCH_SECONDS": "0.1", **more}


def put(directory: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (directory / "incoming" / name).write_text(text, encoding="utf-8")


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def running(
    command: Sequence[str | Path], own: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, env=own, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_broker_that_loads_its_store_is_told_once_it_listens(tmp_path: Path) -> None:
    own = environment(tmp_path)
    put(tmp_path, {"passwords": LIST, "passwords.next": LIST})
    with running([*SHELL, LOADING.format(directory=tmp_path)]) as broker:
        with running([WATCH, str(broker.pid)], own):
            wait_until((tmp_path / "incoming/applied").exists)
            time.sleep(0.5)  # several looks
            assert broker.poll() is None
            (tmp_path / "loaded").touch()
            wait_until((tmp_path / "heard").exists)
            time.sleep(0.5)
        assert (tmp_path / "heard").read_text(encoding="utf-8") == "heard\n"


def test_what_was_taken_before_the_broker_began_is_not_taken_again(tmp_path: Path) -> None:
    own = environment(tmp_path)
    put(tmp_path, {"passwords": LIST, "passwords.next": LIST, "server.pem": "a", "server.key": "b"})
    subprocess.run([WATCH, "--once"], env=own, check=True, capture_output=True)
    applied = (tmp_path / "incoming/applied").read_text(encoding="utf-8")
    (tmp_path / "loaded").touch()
    loading = LOADING.format(directory=tmp_path)
    with running([*SHELL, loading]) as broker, running([WATCH, str(broker.pid)], own):
        time.sleep(0.5)
        put(tmp_path, {"passwords": LIST + "\n"})
        wait_until(lambda: "refused" in (tmp_path / "incoming/applied").read_text(encoding="utf-8"))

    assert [line.rpartition(" ")[2] for line in applied.splitlines()] == ["taken"] * 4
    assert not (tmp_path / "heard").exists()
    assert (tmp_path / "tried").read_text(encoding="utf-8") == "tried\n"
    assert "server.pem taken" in (tmp_path / "incoming/applied").read_text(encoding="utf-8")


def test_a_trial_that_says_nothing_is_no_refusal(tmp_path: Path) -> None:
    own = environment(tmp_path, MQTT_TRIAL_LOOKS="2")
    put(tmp_path, {"server.pem": "a", "server.key": "b"})
    (tmp_path / "is-slow").touch()
    with running(["sleep", "60"]) as broker, running([WATCH, str(broker.pid)], own) as watching:
        wait_until(lambda: (tmp_path / "tried").exists() and len((tmp_path / "tried").read_bytes()) > 12)
        assert not (tmp_path / "incoming/applied").exists()
        (tmp_path / "is-slow").unlink()
        wait_until((tmp_path / "incoming/applied").exists)
        watching.terminate()
        assert watching.stderr is not None
        said = watching.stderr.read()

    assert (tmp_path / "tls/server.pem").read_text(encoding="utf-8") == "a"
    assert said.count("slow to try server.pem server.key") == 1
    assert "stays in force" not in said


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_in_containers_ask_for_no_option_that_busybox_lacks(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    code = re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE)
    asked = re.findall(rf"(?:^|[\s(!;|])({'|'.join(OPTIONS)}) -(\S+)", code, re.MULTILINE)

    assert text.startswith("#!/bin/sh\n")
    assert [(name, flags) for name, flags in asked if set(flags) - set(OPTIONS[name])] == []
