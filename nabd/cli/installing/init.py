"""`nabd init`: five questions, and from their answers one configuration and its secrets."""

from __future__ import annotations

import grp
import locale
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from devices.texts.catalogue import text
from devices.texts.languages import DEFAULT, LANGUAGES, Language
from devices.time_zones import TIME_ZONES
from nabd.cli import output
from nabd.configuration.answers import QUESTIONS, BadAnswer, SetupAnswers, checked
from nabd.configuration.secrets import write_secrets
from nabd.configuration.template import Layout, configuration
from nabd.settings import Settings

FILES = {Layout.COMPOSE: ".env", Layout.SYSTEMD: "nabd.env"}
ACCOUNT = "nabd"
"""Group of the processes that systemd starts."""


def init(
    directory: Annotated[
        Path | None, typer.Option(help="where to write; else here beside docker-compose.yml, or /etc/nabd")
    ] = None,
    layout: Annotated[
        Layout | None, typer.Option(help="how processes are started; else as docker-compose.yml is there")
    ] = None,
    language: Annotated[str | None, typer.Option(help=f"of people: {', '.join(LANGUAGES)}")] = None,
    town: Annotated[str | None, typer.Option(help="name in topics: a-z, 0-9 and -")] = None,
    time_zone: Annotated[str | None, typer.Option(help="for example Asia/Beirut")] = None,
    domain: Annotated[
        str | None, typer.Option(help="nabd.example.org; localhost: Compose opens ports here only")
    ] = None,
    mail: Annotated[str | None, typer.Option(help="smtps://user@mail.example.org; empty: no e-mail")] = None,
    mail_file: Annotated[
        Path | None, typer.Option(help="file with that address and its password, which is not for a command")
    ] = None,
    simulator: Annotated[
        bool, typer.Option("--simulator", help="also a password for simulated devices, who play any device")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="ask nothing: what is not said is at its default")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object; asks nothing")] = False,
) -> None:
    """Ask five questions and write the configuration and its secrets; what is there is never touched."""
    here = Path.cwd()
    chosen = layout or (Layout.COMPOSE if (here / "docker-compose.yml").exists() else Layout.SYSTEMD)
    where = (directory or (here if chosen is Layout.COMPOSE else Path("/etc/nabd"))).absolute()
    file = where / FILES[chosen]
    if file.exists():
        output.fail(f"{file} is there already: edit it, or move it away to begin anew")
    said = {"language": language, "town": town, "time_zone": time_zone, "domain": domain, "mail": mail}
    if mail_file is not None:
        said["mail"] = _address_in(mail_file)
    answers = _answers(said, ask=not (yes or as_json))
    try:
        made = _write(where, file, answers, chosen, simulator=simulator)
    except OSError as error:
        output.fail(f"{error.filename} cannot be written ({error.strerror}): say another --directory")
    _tell(file, made, answers, chosen, as_json=as_json)


def _answers(said: Mapping[str, str | None], *, ask: bool) -> SetupAnswers:
    found: dict[str, Any] = {}
    for question in QUESTIONS:
        speaks = cast(Language, found.get("language", _machine_language()))
        answer = said[question]
        while True:
            if answer is None:
                usual = _usual(question)
                answer = (
                    typer.prompt(text(speaks, f"setup.{question}"), default=usual, show_default=bool(usual))
                    if ask
                    else usual
                )
            try:
                found[question] = checked(question, answer)
                break
            except BadAnswer as error:
                if not ask or said[question] is not None:
                    output.complain(f"--{question.replace('_', '-')}: {error}")
                    raise typer.Exit(2) from error
                output.line(str(error))
                answer = None
    return SetupAnswers(**found)


def _usual(question: str) -> str:
    match question:
        case "language":
            return _machine_language()
        case "time_zone":
            return _machine_zone()
        case _:
            return {"town": "town", "domain": "localhost", "mail": ""}[question]


def _machine_language() -> str:
    said = (locale.getlocale()[0] or os.environ.get("LANG", ""))[:2]
    return said if said in LANGUAGES else DEFAULT


def _machine_zone() -> str:
    link = Path("/etc/localtime")
    name = str(link.resolve()).partition("zoneinfo/")[2] if link.exists() else ""
    return name if name in TIME_ZONES else "UTC"


def _address_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--mail-file") from error


def _write(where: Path, file: Path, answers: SetupAnswers, layout: Layout, *, simulator: bool) -> list[str]:
    """Write secrets first: a configuration without them is none, and stands in the way of the next try."""
    given = {"email-server": answers.mail}
    made = write_secrets(
        where / "secrets", given, group=_group(layout), random=("broker-simulator",) * simulator
    )
    with file.open("x", encoding="utf-8") as written:
        written.write(configuration(answers, layout, Settings, secrets=str(where / "secrets")))
    file.chmod(0o644)  # whatever the umask: processes are other users, and no secret is in it
    return made


def _group(layout: Layout) -> int | None:
    """Return the group of the processes that systemd starts, where we may give files to it."""
    if layout is Layout.COMPOSE or os.geteuid() != 0:
        return None
    try:
        return grp.getgrnam(ACCOUNT).gr_gid
    except KeyError:
        return None


NEXT = {
    Layout.COMPOSE: [
        "docker compose run --rm tls",
        "docker compose up --detach",
        "docker compose run --rm nabd-api user first --url {url}",
    ],
    Layout.SYSTEMD: [
        "runuser --user nabd -- nabd tls init --host {domain}",
        "the database and its accounts: docs/installation.md",
        "systemctl enable --now nabd.target",
        "runuser --user nabd -- nabd user first --url {url}",
    ],
}


def _tell(file: Path, made: list[str], answers: SetupAnswers, layout: Layout, *, as_json: bool) -> None:
    following = [one.format(domain=answers.domain, url=answers.public_url) for one in NEXT[layout]]
    if as_json:
        output.print_json({"configuration": file, "secrets": made, "next": following})
        return
    speaks = answers.language
    output.line(text(speaks, "setup.written", file=str(file)))
    output.line(text(speaks, "setup.secrets", directory=str(file.parent / "secrets")))
    output.line(text(speaks, "setup.next"))
    for one in following:
        output.line(f"  {one}")
