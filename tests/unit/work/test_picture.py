"""What is kept of a photo, and what is refused: files that are no photos, too large, cut off, or hostile."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from devices.registry.errors import Invalid
from work import picture
from work.jpeg_scans import scans
from work.picture import PhotoTooLarge, clean

SECRET = "Rima's phone at 34.43,35.84"


def encoded(kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    """Return a picture whose left half is red and right half blue."""
    image = Image.new(mode, size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def exif(orientation: int = 1) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = SECRET
    found.get_ifd(0x8825)[1] = "N"
    return found.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_is_kept_without_what_the_camera_wrote_into_it(kind: str) -> None:
    sent = encoded(kind, exif=exif())
    assert SECRET.encode() in sent

    kept = clean(sent)

    assert SECRET.encode() not in kept.content
    with Image.open(io.BytesIO(kept.content)) as image:
        assert dict(image.getexif()) == {}
        assert (image.format, image.size) == (kind, (64, 48))
    assert (kept.media_type, kept.width, kept.height) == (picture.MEDIA_TYPES[kind], 64, 48)


def test_a_photo_is_turned_before_its_orientation_is_lost() -> None:
    kept = clean(encoded("JPEG", exif=exif(orientation=6)))

    with Image.open(io.BytesIO(kept.content)) as image:
        assert image.size == (48, 64)
        red, _, blue = image.convert("RGB").getpixel((24, 4))  # type: ignore[misc]
        assert red > 200 > 60 > blue, "what was left is above"


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA"])
def test_photos_of_every_mode_are_kept(mode: str) -> None:
    image = Image.new(mode, (8, 8))
    file = io.BytesIO()
    image.save(file, format="PNG")

    assert clean(file.getvalue()).media_type == "image/png"


def test_a_large_photo_is_made_smaller() -> None:
    kept = clean(encoded("JPEG", size=(5200, 2600)))

    assert (kept.width, kept.height) == (picture.LONGEST_SIDE, picture.LONGEST_SIDE // 2)


HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.mark.attack("photos of work")
@pytest.mark.parametrize(
    "content",
    [b"", HTML, SVG, b"\xff\xd8\xff\xe0" + HTML, b"\x89PNG\r\n\x1a\n" + HTML, b"MZ\x90\x00", encoded("GIF"),
     encoded("BMP"), encoded("TIFF"), b"%PDF-1.7", b"RIFF\x10\x00\x00\x00WEBPVP8 "],
)  # fmt: skip
def test_what_is_no_photo_is_refused_whatever_it_is_called(content: bytes) -> None:
    with pytest.raises(Invalid, match="photo"):
        clean(content)


@pytest.mark.attack("photos of work")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_photo_that_is_cut_off_is_refused(kind: str, share: float) -> None:
    sent = encoded(kind, size=(400, 300))
    with pytest.raises(Invalid, match=r"cut off|none of"):
        clean(sent[: int(len(sent) * share)])


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few kilobytes that says it has so many pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.attack("photos of work")
@pytest.mark.parametrize("size", [(5_000, 5_000), (10_000, 10_000), (60_000, 60_000), (24_000_001, 1)])
def test_a_picture_that_unpacks_to_too_much_is_refused_unread(size: tuple[int, int]) -> None:
    with pytest.raises(PhotoTooLarge, match="pixels"):
        clean(bomb(*size))


@pytest.mark.attack("photos of work")
def test_a_file_with_too_many_bytes_is_refused() -> None:
    with pytest.raises(PhotoTooLarge, match="bytes"):
        clean(bytes(picture.MOST_BYTES + 1))


@pytest.mark.attack("photos of work")
def test_what_is_hidden_behind_a_photo_is_not_kept() -> None:
    for kind in ("JPEG", "PNG"):
        assert b"<script>" not in clean(encoded(kind) + HTML).content


@pytest.mark.attack("photos of work")
def test_a_photo_that_is_drawn_again_and_again_is_refused_unread() -> None:
    sent = encoded("JPEG", progressive=True)
    assert clean(sent).width == 64
    # The first scan of the picture, repeated: each costs as much as the picture.
    first = sent.index(b"\xff\xda")
    end = sent.index(b"\xff", first + 2 + sent[first + 3])
    while sent[end + 1] in (0, *range(0xD0, 0xD8)):
        end = sent.index(b"\xff", end + 2)
    with pytest.raises(Invalid, match="scans"):
        clean(sent[:end] + sent[first:end] * 40 + sent[end:])


@pytest.mark.attack("photos of work")
def test_a_large_photo_of_several_scans_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MOST_PIXELS_OF_SCANS", 64 * 48 - 1)
    assert clean(encoded("JPEG")).width == 64
    with pytest.raises(PhotoTooLarge, match="several scans"):
        clean(encoded("JPEG", progressive=True))


def test_what_looks_like_scans_in_a_camera_s_notes_or_behind_the_picture_is_none() -> None:
    sent = encoded("JPEG")
    notes = b"\xff\xda" * 100
    noted = sent[:2] + b"\xff\xe5" + struct.pack(">H", len(notes) + 2) + notes + sent[2:] + notes
    assert scans(noted) == scans(sent) == [3]
    assert clean(noted).width == 64
