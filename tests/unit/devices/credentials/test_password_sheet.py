"""The page of passwords that is printed for those who mount devices."""

from __future__ import annotations

from devices.credentials.credential import IssuedPassword
from nabd.identity.handing_over import as_page


def test_devices_are_called_as_the_reader_calls_them() -> None:
    issued = IssuedPassword(
        device="bin-1",
        title="Al-Tall square",
        titles={"ar": "ساحة التل"},
        municipality="tripoli",
        kind="bin",
        username="bin-1",
        password="ABCDEFGH",
        before_until=None,
    )

    pages = [as_page([issued], "broker.example.org:8883", language) for language in ("ar", "en")]

    assert [">ساحة التل<" in page for page in pages] == [True, False]
    assert [">Al-Tall square<" in page for page in pages] == [False, True]
