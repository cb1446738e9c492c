"""From a picture to the 28×28 pixels that a network sees, and what was decided on the way."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.errors import ImageError
from digitnet.image.evidence import CLEAR, Score
from digitnet.image.files import SHRUNK, Picture, name_of, open_picture
from digitnet.image.look import COARSE, FINE_ENOUGH, Found, Look, Reading, look_at, read_in, step_of
from digitnet.image.marks.sheet import Box, Sheet, lightest_sheet, sheet_of

SHARP = 100  # pixels of a digit: fewer are looked at again in a finer picture, if there is one
MARGIN = 0.3  # of the digit's longer side: paper around it in that picture
SAME = 0.6  # of what two boxes cover is covered by both, at least: it is the same digit
LEAST_SHEET = 30  # of its pixels: smaller ones may be bold digits, if no other is on them
CLEARER = "crop closer to the digit, or photograph it with more light and contrast"  # advice


def prepare(picture: Picture, name: str | None = None) -> NDArray[np.uint8]:
    """A path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3) of uint8, as (28, 28).

    Raises ImageError, calling the picture `name`, for what cannot be read, is too large, moves, or
    has no ink on it. Pillow warns of what it could read all the same; who calls may filter that.
    """
    return read(picture, name).image


def read(picture: Picture, name: str | None = None, score: Score | None = None) -> Reading:
    """Return the same with what was decided; with `score`, the network chooses among candidates."""
    name = name or name_of(picture)
    return look_closer(first_look(open_picture(picture, name), name), name, score)


def first_look(image: Image.Image, name: str) -> Look:
    """At the whole of what `open_picture` returned. Raises ImageError where there is no ink."""
    look = at_the_whole(image, COARSE)
    if look is None and _has_finer(image):
        look = at_the_whole(image, FINE_ENOUGH)
    if look is None:
        raise no_ink(name)
    return look


def no_ink(name: str) -> ImageError:
    """Return the error for a picture without ink."""
    return ImageError(name, f"expected a digit, found no ink; {CLEARER}")


def _has_finer(image: Image.Image) -> bool:
    """Whether a picture is seen in finer pixels in a second look."""
    size = image.height, image.width
    return step_of(*size, FINE_ENOUGH) < step_of(*size, COARSE)


def at_the_whole(image: Image.Image, pixels: int) -> Look | None:
    """A look at a whole picture, in so many pixels."""
    return look_at(image, (0, 0, image.height, image.width), pixels)


def look_closer(look: Look, name: str, score: Score | None = None) -> Reading:
    """Return what is read at last: on the sheet, if a look shows one, and in finer pixels.

    Where no candidate is clearly a digit, it is looked for in a finer picture, too. Raises
    ImageError for a sheet or box that is empty.
    """
    found = _clearest(look, score)
    if found is None:
        raise ImageError(name, "expected a digit, found an empty sheet or box")
    reading = _refined(found, score)
    shrunk: int = look.image.info.get(SHRUNK, 1)
    if shrunk == 1:
        return reading
    top, left, bottom, right = (shrunk * at for at in reading.box)
    return replace(reading, box=(top, left, bottom, right))


def _clearest(look: Look, score: Score | None) -> Found | None:
    """Return the candidate that costs least in the look and, where it is not clear, in others.

    None for a sheet that is empty.
    """
    best, is_empty = read_in(look, score), False
    if min(look.light.shape) < LEAST_SHEET:
        return best
    sheet = sheet_of(best.candidate.mask, best.candidate.box.slices, look.part, look.step)
    if sheet is not None:
        on_it = _on_sheet(look, sheet, score)
        is_empty = on_it is None and sheet.is_cornered
        if on_it and (sheet.is_cornered or on_it.cost < best.cost):
            best = on_it
    if score is not None and (is_empty or best.cost > CLEAR):
        least = CLEAR if is_empty else best.cost
        box = best.reading.box
        for found in _elsewhere(look, score):
            if found is None or (is_empty and _is_same(found.reading.box, box)):
                continue
            if found.cost < least:
                best, is_empty, least = found, False, found.cost
    return None if is_empty else best


def _elsewhere(look: Look, score: Score) -> Iterator[Found | None]:
    """Yield what other looks show: what is dark, the lightest sheet of paper, finer pixels."""
    if not look.ink.dark:
        dark = look_at(look.image, look.part, look.pixels, look.sheet, dark=True)
        yield dark and read_in(dark, score)
    sheet = lightest_sheet(look.light, look.part, look.step)
    yield sheet and _on_sheet(look, sheet, score)
    if look.pixels == COARSE and _has_finer(look.image):
        finer = at_the_whole(look.image, FINE_ENOUGH)
        yield finer and read_in(finer, score)


def _on_sheet(look: Look, sheet: Sheet, score: Score | None) -> Found | None:
    """Return what is on a sheet, if it is not empty."""
    nearer = look_at(look.image, sheet.part, look.pixels, sheet)
    return nearer and read_in(nearer, score)


def _refined(found: Found, score: Score | None) -> Reading:
    """Return what was read, but in finer pixels where the digit is small in what was looked at."""
    look, reading, *_ = found
    box, part = reading.box, look.part
    size = max(box[2] - box[0], box[3] - box[1])
    longer = max(part[2] - part[0], part[3] - part[1])
    if look.step == 1 or size * look.pixels >= SHARP * longer:
        return reading
    around, shadowed = _around(box, part), look.ink.shadowed
    finer = look_at(look.image, around, look.pixels, look.sheet, shadowed=shadowed)
    if finer is None:
        return reading
    closer = replace(read_in(finer, score).reading, digits=reading.digits, prior=reading.prior)
    return closer if _is_same(closer.box, reading.box) else reading


def _around(box: Box, part: Box) -> Box:
    """A box and some paper around it, within a part of the picture."""
    margin = round(MARGIN * max(box[2] - box[0], box[3] - box[1]))
    top, left, bottom, right = box
    return (
        max(top - margin, part[0]),
        max(left - margin, part[1]),
        min(bottom + margin, part[2]),
        min(right + margin, part[3]),
    )


def _is_same(one: Box, other: Box) -> bool:
    """Whether two boxes have most of their area in common."""
    height, width = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    both = max(height, 0) * max(width, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both >= SAME * (sum(areas) - both)
