"""Migration files as values."""

from pathlib import Path

import pytest

from store.edition import Edition
from store.errors import MigrationError
from store.versions import load


def write(directory: Path, **files: str) -> Path:
    for name, sql in files.items():
        (directory / f"{name[1:]}.sql").write_text(sql)
    return directory


def test_shipped_migrations_are_numbered_without_a_gap() -> None:
    assert [version.number for version in load()] == list(range(1, len(load()) + 1))


def test_version_without_headers_applies_to_both_editions_in_a_transaction(tmp_path: Path) -> None:
    (version,) = load(write(tmp_path, _0001_kites="SELECT 1;"))

    assert str(version) == "0001_kites"
    assert version.transaction
    assert version.applies_to(Edition.PLAIN)
    assert version.applies_to(Edition.TIMESCALE)


def test_headers_count_only_before_the_first_statement(tmp_path: Path) -> None:
    first, second = load(
        write(
            tmp_path,
            _0001_a="-- why\n-- edition: timescale\n-- no-transaction\n\nSELECT 1;",
            _0002_b="SELECT 1;\n-- edition: plain\n-- no-transaction\n",
        )
    )

    assert (first.edition, first.transaction) == (Edition.TIMESCALE, False)
    assert not first.applies_to(Edition.PLAIN)
    assert (second.edition, second.transaction) == (None, True)


def test_checksum_ignores_line_ends_and_nothing_else(tmp_path: Path) -> None:
    (unix,) = load(write(tmp_path, _0001_a="SELECT 1;\n"))
    (tmp_path / "0001_a.sql").write_bytes(b"SELECT 1;\r\n")
    (windows,) = load(tmp_path)
    (changed,) = load(write(tmp_path, _0001_a="SELECT  1;\n"))

    assert unix.checksum == windows.checksum != changed.checksum


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"_0001_a": "", "_0003_b": ""}, "the next number is 0002"),
        ({"_0001_a": "", "_0001_b": ""}, "the next number is 0002"),
        ({"_1_a": ""}, "expected NNNN_name.sql"),
        ({"_0001_a": "-- edition: oracle\n"}, "edition 'oracle' is not plain or timescale"),
    ],
)
def test_wrong_file_is_refused_by_name(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(MigrationError, match=message):
        load(write(tmp_path, **files))
