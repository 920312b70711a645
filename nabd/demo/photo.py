"""A photo as a technician of the demo takes one: a street with something in it, drawn; small. Pure."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 640, 480
HORIZON = 300
QUALITY = 80


def drawn_photo(rng: np.random.Generator) -> bytes:
    """Return a JPEG: sky, pavement, and a post or a container, drawn from `rng`."""
    sky = tuple(int(rng.integers(low, low + 50)) for low in (130, 160, 190))
    picture = Image.new("RGB", (WIDTH, HEIGHT), sky)
    draw = ImageDraw.Draw(picture)
    ground = int(rng.integers(90, 130))
    draw.rectangle((0, HORIZON, WIDTH, HEIGHT), fill=(ground, ground - 5, ground - 12))
    for left in range(0, WIDTH, 80):  # houses
        top = int(rng.integers(120, 240))
        shade = int(rng.integers(150, 215))
        draw.rectangle((left, top, left + 76, HORIZON), fill=(shade, shade - 15, shade - 40))
    middle = int(rng.integers(220, 420))
    if rng.random() < 0.5:
        draw.rectangle((middle, 60, middle + 14, 420), fill=(60, 66, 70))
        draw.rectangle((middle - 70, 52, middle + 14, 72), fill=(60, 66, 70))
        draw.ellipse((middle - 80, 66, middle - 30, 90), fill=(250, 232, 150))
    else:
        draw.rectangle((middle - 60, 260, middle + 60, 420), fill=(32, 110, 78))
        draw.rectangle((middle - 68, 246, middle + 68, 264), fill=(24, 84, 60))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
