"""What browsers are sent is what RFC 8291 says, byte for byte; what they show fits."""

from __future__ import annotations

import base64
from dataclasses import replace

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notify.channels.push_encryption import MOST_BYTES, encrypted
from notify.channels.web_push import page_of, payload
from notify.texts.work_message import work_message
from tests.unit.notify.builders import make_message, make_reader
from tests.unit.notify.texts.test_work_message import news as make_work_news


def read(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_the_standard_comes_out() -> None:
    own = int.from_bytes(read("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")

    body = encrypted(
        b"When I grow up, I want to be a watermelon",
        read("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        read("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=read("DGv6ra1nlYgDCS1FRnbzlw"),
        own=ec.derive_private_key(own, ec.SECP256R1()),
    )

    assert body == read(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("said", ["x", "نبض ", '"\n', "\U0001f6a8"])
def test_any_message_fits(said: str) -> None:
    long = replace(make_message(), text=said * 5000, subject=said * 5000)
    browser = ec.generate_private_key(ec.SECP256R1()).public_key()
    numbers = browser.public_numbers()
    point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    whole = msgspec.json.encode(payload(long))

    assert len(whole) <= MOST_BYTES
    assert len(encrypted(whole, point, b"0" * 16)) <= 4096


def test_message_says_where_more_stands_and_repeats_no_link() -> None:
    one = make_message()
    text = "Full\nMap: geo:34.4,35.8\n\nAnswer: https://nabd.example.org/answer/abc"
    two = make_message(alerts=(7, 8), text=text)
    work = work_message("id-1", make_work_news(), make_reader())

    assert page_of(one) == "/alerts/7"
    assert page_of(two) == "/"
    assert page_of(work) == f"/work/{make_work_news().order}"
    assert payload(two)["body"] == "Full"
    assert payload(one)["tag"] == one.thread
    assert payload(one)["severity"] == "critical"
    for message in (one, two, work):
        said = payload(message)["body"]
        assert said
        assert "://" not in said
        assert "geo:" not in said
