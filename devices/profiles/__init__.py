"""The profiles there are: those that come with the platform, and the operator's own from a directory.

Here lives the reading of files; what a profile is and does is devices.wire.adapters.profile. Kinds that
shipped profiles are for and that not everybody wants lie in `kinds/`: copied into NABD_KINDS_DIR they are
declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devices.kinds import load as load_kinds
from devices.kinds.kind import Kind
from devices.wire.adapters.profile import Profile, ProfileError, ProfileRefused, parse

SHIPPED = Path(__file__).parent
KINDS = SHIPPED / "kinds"
"""Declarations of kinds that some shipped profiles are for, as TOML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles(Mapping[str, Profile]):
    """All profiles by name.

    files: where each comes from. refused: what is wrong with files of the directory; nothing of those is
    used. waiting: shipped profiles for a kind that is not declared, and which.
    """

    profiles: Mapping[str, Profile]
    files: Mapping[str, Path]
    refused: tuple[ProfileError, ...] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Profile:
        return self.profiles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.profiles)

    def __len__(self) -> int:
        return len(self.profiles)

    def is_own(self, name: str) -> bool:
        """Tell whether a profile is the operator's own, also in place of a shipped one of the same name."""
        return self.files[name].parent != SHIPPED

    def codec(self, name: str) -> Path | None:
        """Return the JavaScript file of a profile's codec, None without."""
        codec = self.profiles[name].codec
        return self.files[name].parent / codec if codec else None


def load(
    kinds: Mapping[str, Kind], directory: Path | None = None, running: Profiles | None = None
) -> Profiles:
    """Return the profiles that come with the platform, and those of `directory`/*.toml.

    One of the directory stands in for a shipped one of the same name. A file with a mistake is told in
    `refused`, and what `running` had of it stays. Never raises: profiles that are right are not kept from
    work by one that is not.
    """
    profiles, files, waiting = _shipped(kinds)
    refused: list[ProfileError] = []
    own: dict[str, Path] = {}
    if directory is not None and not directory.is_dir():
        refused.append(ProfileError("is no directory: correct NABD_PROFILES_DIR", file=str(directory)))
    for path in sorted(directory.glob("*.toml")) if directory else []:
        try:
            profile = read(path, kinds)
        except ProfileRefused as error:
            refused += error.errors
            kept = _of(path, running)
            if kept is None:
                continue
            profile = kept
        if profile.name in own:
            said = f"{own[profile.name].name} is profile {profile.name} already"
            refused.append(ProfileError(said, file=str(path)))
            continue
        profiles[profile.name], files[profile.name], own[profile.name] = profile, path, path
        waiting.pop(profile.name, None)
    return Profiles(
        profiles=dict(sorted(profiles.items())), files=files, refused=tuple(refused), waiting=waiting
    )


def read(path: Path, kinds: Mapping[str, Kind]) -> Profile:
    """Return the profile of a file.

    Raises:
        ProfileRefused: it cannot be read, or has mistakes.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileRefused([ProfileError(f"cannot be read: {error}", file=str(path))]) from error
    return parse(text, kinds, file=str(path))


def _shipped(kinds: Mapping[str, Kind]) -> tuple[dict[str, Profile], dict[str, Path], dict[str, str]]:
    all_kinds = load_kinds(KINDS) | dict(kinds)
    profiles: dict[str, Profile] = {}
    files: dict[str, Path] = {}
    waiting: dict[str, str] = {}
    for path in sorted(SHIPPED.glob("*.toml")):
        profile = read(path, all_kinds)
        undeclared = [name for name in profile.kinds if name not in kinds]
        if undeclared:
            waiting[profile.name] = undeclared[0]
            continue
        profiles[profile.name], files[profile.name] = profile, path
    return profiles, files, waiting


def _of(path: Path, running: Profiles | None) -> Profile | None:
    """Return the running profile that came from a file."""
    if running is None:
        return None
    return next((running[name] for name in running if running.files[name] == path), None)
