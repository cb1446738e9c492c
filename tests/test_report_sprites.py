"""Sprite sheets."""

import base64
import io

import numpy as np
from PIL import Image

from digitnet.report.sprites import sprite_sheet


def test_a_position_shows_its_picture() -> None:
    images = np.random.default_rng(1).integers(0, 256, (45, 28, 28), np.uint8)
    sheet = sprite_sheet(images)
    png = base64.b64decode(sheet.url.removeprefix("data:image/png;base64,"))
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    assert pixels.shape == (28 * sheet.rows, 28 * sheet.columns) == (84, 560)
    for k in (0, 19, 20, 44):
        across, down = (float(share[:-1]) / 100 for share in sheet.position(k).split())
        # CSS: a share p of the room that the picture leaves in the box
        left, top = round(across * (560 - 28)), round(down * (84 - 28))
        assert np.array_equal(pixels[top : top + 28, left : left + 28], images[k])
    assert not pixels[56:, 5 * 28 :].any()


def test_no_pictures_are_no_sheet() -> None:
    sheet = sprite_sheet(np.empty((0, 28, 28), np.uint8))
    assert (sheet.url, sheet.n, sheet.rows) == ("", 0, 1)
