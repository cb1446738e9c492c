"""Put many pictures of 28×28 pixels into one PNG, a sprite sheet, as a data URL."""

import base64
import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE

COLUMNS = 20  # pictures in a row of a sheet


class Sheet(NamedTuple):
    """A sprite sheet of n pictures. url: PNG as a data URL; empty without pictures."""

    url: str
    n: int
    columns: int = COLUMNS

    @property
    def rows(self) -> int:
        return max(-(-self.n // self.columns), 1)

    def position(self, index: int) -> str:
        """Return the CSS `background-position` of a picture."""
        column, row = index % self.columns, index // self.columns
        return f"{_share(column, self.columns)} {_share(row, self.rows)}"


def sprite_sheet(images: NDArray[np.uint8], columns: int = COLUMNS) -> Sheet:
    """Return pictures (n, 28, 28) as a sheet, row by row; the rest of the last row is black."""
    n = len(images)
    if not n:
        return Sheet("", 0, columns)
    from PIL import Image

    rows = -(-n // columns)
    pixels = np.zeros((rows * columns, SIDE, SIDE), np.uint8)
    pixels[:n] = images
    in_rows = pixels.reshape(rows, columns, SIDE, SIDE).transpose(0, 2, 1, 3)
    file = io.BytesIO()
    sheet = Image.fromarray(in_rows.reshape(rows * SIDE, columns * SIDE))
    sheet.save(file, "PNG", optimize=True)
    return Sheet("data:image/png;base64," + base64.b64encode(file.getvalue()).decode(), n, columns)


def _share(index: int, count: int) -> str:
    return f"{100 * index / max(count - 1, 1):.4f}%"
