"""Where a setting can be said, the first that says it wins.

1. the variable NABD_X of the environment, or the file that NABD_X_FILE names
2. a file NABD_X in a directory of secrets: $CREDENTIALS_DIRECTORY (systemd), /run/secrets (containers)
3. the configuration file, NABD_CONFIG or /etc/nabd/nabd.env: NABD_X=... or NABD_X_FILE=...
4. what a `nabd up` in the same directory has written
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

CONFIG = "NABD_CONFIG"
DEFAULT_CONFIG = Path("/etc/nabd/nabd.env")
SECRET_DIRECTORIES = (Path("/run/secrets"),)
CREDENTIALS = "CREDENTIALS_DIRECTORY"
FILE = "_FILE"


class UnreadableSetting(ValueError):
    """A file of settings or of a secret cannot be read; the text names it and the fix."""


class FileSettingsSource(EnvSettingsSource):
    """Settings by variable name, read from files; `origins` tells from which."""

    def __init__(self, settings: type[BaseSettings], found: Mapping[str, tuple[str, str]]) -> None:
        self.origins = {name.lower(): origin for name, (_, origin) in found.items()}
        self._found = {name.lower(): text for name, (text, _) in found.items()}
        super().__init__(settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: text for name, text in self._found.items() if text}


def config_file() -> Path | None:
    """Return the configuration file of this machine; None: there is none.

    Raises:
        UnreadableSetting: NABD_CONFIG names one that is not there.
    """
    said = os.environ.get(CONFIG)
    if said is None:
        return DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None
    if said and not Path(said).exists():
        raise UnreadableSetting(
            f"{CONFIG}: {said} is not there; `nabd init` writes one, empty means no such file"
        )
    return Path(said) if said else None


def file_sources(settings: type[BaseSettings]) -> list[FileSettingsSource]:
    """Return the sources that stand between the environment and what `nabd up` wrote, the first first."""
    prefix = settings.model_config.get("env_prefix", "")
    names = [f"{prefix}{name.upper()}" for name in settings.model_fields]
    config = config_file()
    said = _values(config) if config else {}
    return [
        FileSettingsSource(settings, _named(names, os.environ, "")),
        FileSettingsSource(settings, _in_directories(names)),
        FileSettingsSource(settings, {n: (text, f"{config}") for n, text in said.items() if n in names}),
        FileSettingsSource(settings, _named(names, said, f" in {config}")),
    ]


class ConfiguredSettings(BaseSettings):
    """Settings that are said in any of these places."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the places in their order: arguments, environment, files, what `nabd up` wrote."""
        return (init_settings, env_settings, *file_sources(settings_cls), dotenv_settings)


def _named(names: Iterable[str], variables: Mapping[str, Any], where: str) -> dict[str, tuple[str, str]]:
    """Read the files that variables NABD_X_FILE name."""
    return {
        name: (_read(Path(path), f"{name}{FILE}{where}"), f"{path} ({name}{FILE}{where})")
        for name in names
        if (path := variables.get(name + FILE))
    }


def _in_directories(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    own = os.environ.get(CREDENTIALS)
    directories = [Path(own)] if own else []
    found: dict[str, tuple[str, str]] = {}
    for directory in (*directories, *SECRET_DIRECTORIES):
        if directory.is_dir():
            for name in names:
                if name not in found and (directory / name).is_file():
                    found[name] = (_read(directory / name, name), str(directory / name))
    return found


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UnreadableSetting(
            f"{name}: {path} cannot be read ({reason}): correct the path, or let this user read it"
        ) from error


def _values(path: Path) -> dict[str, str]:
    try:
        return {name: text for name, text in dotenv_values(path).items() if text}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UnreadableSetting(f"{path} cannot be read ({reason}): let this user read it") from error
