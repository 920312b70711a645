"""What may be kept as a photo: told by its content, never by its name; without what a camera wrote into it.

A photo is read whole and written anew: turned as its camera said, then without place, time, owner and
thumbnail, and without whatever else somebody hid in the file. Limits are looked at before anything is
unpacked. Pure.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from devices.registry.errors import Invalid
from work.jpeg_scans import MOST_SCANS, scans

MOST_BYTES = 8 * 1024 * 1024
"""Of the file as it is sent."""
MOST_PIXELS = {"JPEG": 64_000_000, "PNG": 12_500_000, "WEBP": 12_500_000}
"""By format. A phone's photo has 12 to 50 million; unpacked each takes 4 bytes and more, and those of a JPEG
of one scan are unpacked to fewer."""
MOST_PIXELS_OF_SCANS = 25_000_000
"""Of a JPEG that is drawn in several scans: each pixel takes 6 bytes until the last."""
LONGEST_SIDE = 2560
"""A larger photo is made smaller: what it is to show is seen on any screen."""
QUALITY = 85
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
"""By the name that Pillow gives the format."""
_SEVERAL = "MPO"
"""What Pillow calls a JPEG with further pictures behind the first."""


class PhotoTooLarge(Invalid):
    """The file has too many bytes, or the picture too many pixels."""

    def __init__(self, message: str) -> None:
        super().__init__("photo", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo as it is kept. width, height in pixels, as people see it; sha256 of the bytes, hexadecimal."""

    content: bytes
    media_type: str
    width: int
    height: int
    sha256: str


def clean(content: bytes) -> Picture:
    """Return a photo as it is kept.

    Args:
        content: the file as somebody sent it.

    Raises:
        PhotoTooLarge: too many bytes, or pixels.
        Invalid: it is no JPEG, PNG or WebP, is cut off or damaged.
    """
    if not content:
        raise Invalid("photo", "is empty")
    if len(content) > MOST_BYTES:
        raise PhotoTooLarge(f"has at most {MOST_BYTES:,} bytes; this one has {len(content):,}")
    try:
        return _cleaned(content)
    except Invalid:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoTooLarge("has far more pixels than any photo") from None
    except UnidentifiedImageError:
        raise Invalid("photo", f"is none of {', '.join(MEDIA_TYPES)}, whatever it is called") from None
    except Exception as error:  # decoders fail in many ways on what was made to hurt them
        raise Invalid("photo", f"is damaged or cut off ({type(error).__name__})") from None


def _cleaned(content: bytes) -> Picture:
    with Image.open(io.BytesIO(content), formats=list(MEDIA_TYPES)) as image:
        kind = "JPEG" if image.format == _SEVERAL else str(image.format)
        if image.width * image.height > MOST_PIXELS[kind]:
            raise PhotoTooLarge(
                f"has at most {MOST_PIXELS[kind]:,} pixels; this one has {image.width} x {image.height}"
            )
        if kind == "JPEG":
            _check_scans(content, image)
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        image.load()
        bare = _bare(image, kind)
    kept = io.BytesIO()
    bare.save(kept, format=kind, **({} if kind == "PNG" else {"quality": QUALITY}))
    written = kept.getvalue()
    return Picture(
        content=written,
        media_type=MEDIA_TYPES[kind],
        width=bare.width,
        height=bare.height,
        sha256=hashlib.sha256(written).hexdigest(),
    )


def _check_scans(content: bytes, image: Image.Image) -> None:
    drawn = scans(content)
    if len(drawn) >= MOST_SCANS:
        raise Invalid("photo", f"is drawn in {MOST_SCANS} scans or more, as no camera does")
    pixels = image.width * image.height
    if drawn == [len(image.getbands())] and "progressive" not in image.info:
        return
    if pixels > MOST_PIXELS_OF_SCANS:
        raise PhotoTooLarge(
            f"that is drawn in several scans has at most {MOST_PIXELS_OF_SCANS:,} pixels; this one has"
            f" {image.width} x {image.height}"
        )


_SMOOTH = frozenset({"L", "LA", "RGB", "RGBA", "CMYK", "YCbCr"})
"""Modes that can be made smaller as they are."""


def _bare(image: Image.Image, kind: str) -> Image.Image:
    """Return the pixels alone, turned, not too many; of an animation the first picture."""
    clear = "A" in image.getbands() or "transparency" in image.info
    mode = "RGBA" if clear and kind != "JPEG" else "RGB"
    # Made smaller before anything is copied.
    if image.mode in _SMOOTH:
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    small = ImageOps.exif_transpose(image).convert(mode)
    small.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new(mode, small.size)
    bare.paste(small)
    return bare
