"""The border of one shade that programs put around a photo."""

import numpy as np

from digitnet.activations import FloatArray

ALIKE = 0.05  # of black to white: so much the border may vary, for JPEG
FEW = 0.02  # of a row or column may differ, and it is still of the border
LEAST = 0.6  # of the picture's height and width: what is less is no photo
RIM = 0.05  # of its longer side: so far the photo is looked at along its edges
MOST = 0.95  # of that differs from the border, unlike a box of lines
FLAT = 0.1  # of black to white: what varies by less within is no photo


def within_border(light: FloatArray) -> tuple[slice, slice] | None:
    """Rows and columns of the photo in a picture (h, w), if a border is around it; else None."""
    height, width = light.shape
    shade = float(light[0, 0])
    sides = light[0], light[-1], light[:, 0], light[:, -1]
    if any(np.abs(side - shade).max() > ALIKE for side in sides):
        return None
    differs = np.abs(light - shade) > ALIKE
    rows, columns = (np.flatnonzero(differs.mean(axis=axis) > FEW) for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return None
    inside = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    if np.ptp(rows) < LEAST * height or np.ptp(columns) < LEAST * width:
        return None
    photo, rim = differs[inside], max(round(RIM * max(light.shape)), 2)
    edges = photo[:rim], photo[-rim:], photo[:, :rim], photo[:, -rim:]
    is_photo = all(edge.mean() > MOST for edge in edges)
    return inside if is_photo and np.std(light[inside]) > FLAT else None
