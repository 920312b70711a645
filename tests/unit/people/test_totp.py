"""Codes of authenticator apps, against the vectors of RFC 6238 (SHA-1, the last six of eight digits)."""

from __future__ import annotations

import base64

import pytest

from people import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at_s", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")]
)
def test_code_is_the_standards(at_s: int, code: str) -> None:
    assert totp.step_of(SECRET, code, at_s, 0) == at_s // 30


def test_code_is_good_half_a_minute_early_or_late_and_never_twice() -> None:
    step = 59 // 30

    assert totp.step_of(SECRET, "287082", 59 + 30, 0) == step
    assert totp.step_of(SECRET, "287082", 59 + 90, 0) is None
    assert totp.step_of(SECRET, "287082", 59, after=step) is None


@pytest.mark.parametrize("code", ["", "000000", "28708", "2870822", "٢٨٧٠٨٢"])
def test_other_code_is_none(code: str) -> None:
    assert totp.step_of(SECRET, code, 59, 0) is None


def test_recovery_codes_are_ten_different_ones_however_they_are_typed() -> None:
    codes = totp.recovery_codes()

    assert len(set(codes)) == 10
    assert totp.normalised(f" {codes[0].upper()} ") == codes[0].replace("-", "")


def test_secret_is_long_enough() -> None:
    assert totp.is_secret(totp.new_secret())
    assert not totp.is_secret("JBSWY3DP")
    assert not totp.is_secret("not base32!")


def test_code_may_be_typed_in_arabic_digits() -> None:
    assert totp.normalised("٢٨٧ ٠٨٢") == "287082"
