"""From a picture to the 28×28 pixels that a network sees, and what was decided on the way."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.errors import ImageError
from digitnet.image.border import within_border
from digitnet.image.field import EDGE
from digitnet.image.files import SHRUNK, Picture, name_of, open_picture
from digitnet.image.ink import LEAST_PAGE, Bools, narrowed, otsu, stroke_width, widened
from digitnet.image.look import (
    COARSE,
    FINE_ENOUGH,
    Found,
    Look,
    Reading,
    look_at,
    read_in,
    step_of,
)
from digitnet.image.parts import parts_of
from digitnet.image.sheet import FILLED, ROUNDED, Box, Sheet, in_picture, sheet_of
from digitnet.image.uneven import smoothed

SHARP = 100  # pixels of a digit: fewer are looked at again in a finer picture, if there is one
MARGIN = 0.3  # of the digit's longer side: paper around it in that picture
SAME = 0.6  # of what two boxes cover is covered by both, at least: it is the same digit
WIDER = 3  # looks, at most, at a digit that goes on beyond what was looked at
COVERED = 0.6  # of a sheet's height and width: what is there is its edges, and no digit
LEAST_SHEET = 30  # of its pixels: smaller ones may be bold digits, if no other is on them
LEAST_BESIDE = 0.1  # of the picture's longer side: less beside a sheet or a thing is no digit
LONG = 3.5  # times as long as its stroke is wide: less is the hole of an 8, or of another digit
SLIM = 4  # pixels of the box: strokes of a digit, not the hole of a bold 0
AROUND = 4  # pixels: so close to it is the paper that a digit is compared with
SHEETS = 2  # on top of each other
CLEARER = "crop closer to the digit, or photograph it with more light and contrast"  # advice
THINGS = 8  # that lie beside each other, at most: the largest


def prepare(picture: Picture, name: str | None = None) -> NDArray[np.uint8]:
    """A path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3) of uint8, as (28, 28).

    Raises ImageError, calling the picture `name`, for what cannot be read, is too large, moves, or
    has no ink on it. Pillow warns of what it could read all the same; who calls may filter that.
    """
    return read(picture, name).image


def read(picture: Picture, name: str | None = None) -> Reading:
    """The same, with what was decided."""
    name = name or name_of(picture)
    return look_closer(first_look(open_picture(picture, name), name), name)


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


def at_the_whole(image: Image.Image, pixels: int, *, cleaned: bool = True) -> Look | None:
    """A look, in so many pixels, at all but a photo's border."""
    look = look_at(image, (0, 0, image.height, image.width), pixels, cleaned=cleaned)
    if look is None or min(look.light.shape) < LEAST_PAGE:
        return look
    photo = within_border(look.light)
    if photo is None:
        return look
    return look_at(image, in_picture(photo, look.part, look.step), pixels, cleaned=cleaned)


def look_closer(look: Look, name: str) -> Reading:
    """What is read at last: on the sheet, if a look shows one, and in finer pixels.

    Where there is no writing, it is looked for in a finer picture. Raises ImageError for a sheet or
    box that is empty.
    """
    reading = _closest(look, name)
    shrunk: int = look.image.info.get(SHRUNK, 1)
    if shrunk == 1:
        return reading
    top, left, bottom, right = (shrunk * at for at in reading.box)
    return replace(reading, box=(top, left, bottom, right))


def _closest(look: Look, name: str) -> Reading:
    """The same, its box in pixels of the decoded picture."""
    reading = _read_whole(look)
    is_writing = reading is not None and reading.digits
    if not is_writing and look.pixels == COARSE and _has_finer(look.image):
        whole = at_the_whole(look.image, FINE_ENOUGH)
        finer = whole and _read_whole(whole)
        if finer and finer.digits:
            return finer
    if reading is None:
        raise ImageError(name, "expected a digit, found an empty sheet or box")
    return reading


def _read_whole(look: Look) -> Reading | None:
    """What is read, be it writing or not, in looks of as many pixels as that one.

    If the marks are no sheet, a digit is looked for on others, then among dark marks. If they are
    one, it is what is on that; and again, if that is a sheet. If no digit is on it, it is what is
    beside it, or dark. None for a sheet or box that is empty.
    """
    found = read_in(look)
    sheet, is_page = _sheet(found), min(look.light.shape) >= LEAST_PAGE
    if sheet is None:
        elsewhere = _on_lightest(found) or (
            is_page and (_on_one_of_many(found) or _dark_instead(found))
        )
        if elsewhere:
            found, sheet = elsewhere, _sheet(elsewhere)
    for _ in range(SHEETS):
        if sheet is None or found.reading.digits > 1:
            break
        nearer = _on_sheet(found, sheet)
        if nearer and (_is_sure(sheet) or _lies_on(sheet, nearer, dark=found.reading.dark)):
            found, sheet = nearer, _sheet(nearer)
            continue
        is_empty = nearer is None and not sheet.may_be_digit
        instead = (is_empty and _beside(found)) or (is_page and _dark_instead(found))
        if is_empty and not instead:
            return None
        found = instead or found
        break
    return _refined(found)


def _sheet(found: Found) -> Sheet | None:
    """The sheet that what was found in a look may be instead."""
    look, _, digit = found
    return sheet_of(digit.mask[digit.box], digit.box, look.part, look.step)


def _is_sure(sheet: Sheet) -> bool:
    """Whether it is a card, and large: no bold digit."""
    return sheet.is_cornered and min(sheet.inside.shape) >= LEAST_SHEET


def _on_sheet(found: Found, sheet: Sheet) -> Found | None:
    """What is on a sheet, if it is not empty."""
    nearer = look_at(found.look.image, sheet.part, found.look.pixels, sheet)
    return nearer and read_in(nearer)


def _beside(found: Found) -> Found | None:
    """What is beside a thing with nothing on it: the digit on a sheet, or a large enough dark one.

    What is light beside an empty sheet is another thing on the desk.
    """
    ink = found.look.ink.without(found.digit.mask)
    if not ink.sure.any():
        return None
    beside = read_in(found.look._replace(ink=ink))
    digit = beside.digit
    is_large = max(digit.mask[digit.box].shape) >= LEAST_BESIDE * max(digit.mask.shape)
    if not is_large:
        return None
    is_digit = beside.reading.digits == 1 and beside.reading.dark
    return _on_one_of_many(beside) or (beside if is_digit else None)


def _dark_instead(found: Found) -> Found | None:
    """The dark digit, where what is light is no stroke, or differs less from what is around it.

    What is light is then the page beside a shadow, something beside the page, or a lamp's
    reflection.
    """
    look, reading, digit = found
    mask = digit.mask[digit.box]
    is_filled = np.count_nonzero(mask) >= FILLED * mask.size
    is_spot = is_filled and max(mask.shape) <= ROUNDED * min(mask.shape)
    if reading.dark or (look.ink.is_even and not is_spot):
        return None
    again = look_at(look.image, look.part, look.pixels, look.sheet, dark=True)
    if again is None:
        return None
    dark = read_in(again)
    if reading.digits and not is_filled and _contrast(dark) < _contrast(found):
        return None
    is_large = max(dark.digit.mask[dark.digit.box].shape) >= LEAST_BESIDE * max(look.light.shape)
    is_digit = is_large and dark.reading.digits == 1 and dark.reading.stroke <= SLIM
    return dark if is_digit else None


def _contrast(found: Found) -> float:
    """How much the light on the digit and on the paper close to it, if there is any, differ."""
    mask, light = found.digit.mask, found.look.light
    around = widened(mask, AROUND) & ~found.look.ink.marked
    if not around.any():
        return 0.0
    return abs(float(np.median(light[mask])) - float(np.median(light[around])))


def _on_lightest(found: Found) -> Found | None:
    """The digit on the sheet of paper that what is lighter is, or the lighter part of that."""
    if found.reading.digits == 1 and found.look.ink.is_even:
        return None
    light = smoothed(found.look.light)
    first, _, _ = otsu(light)
    second, _, _ = otsu(light[light > first])
    return _on_largest(found, light > first) or _on_largest(found, light > second)


def _on_largest(found: Found, lighter: Bools) -> Found | None:
    """The digit on the sheet of paper that the largest part of what is lighter, (h, w), is.

    None where another part is more than half as large, or where there is no need to look: where
    digits were read within that part, or such as are too small to be the edges of a sheet. It may
    be the paper that no shadow lies on.
    """
    look, reading, _ = found
    if not lighter.any():
        return None
    *others, largest = sorted(parts_of(lighter), key=lambda part: part.area)
    if others and 2 * others[-1].area > largest.area:
        return None
    whole = in_picture(largest.slices, look.part, look.step)
    if reading.digits and (_contains(whole, reading.box) or not _covers(reading.box, whole)):
        return None
    sheet = sheet_of(largest.mask(), largest.slices, look.part, look.step)
    return sheet and _digit_on(found, sheet, dark=False)


def _on_one_of_many(found: Found) -> Found | None:
    """What is on the one sheet with a digit, among other things that were taken for digits.

    None where dark digits seem to stand on the paper beside a dark thing.
    """
    look, reading, digit = found
    parts = parts_of(digit.mask if reading.digits == 1 else look.ink.marked)
    filled = [part for part in parts if part.area >= FILLED * part.height * part.width]
    least = LEAST_BESIDE * max(look.light.shape)
    if reading.dark and any(part.height >= least and part not in filled for part in parts):
        return None
    there = []
    for part in sorted(filled, key=lambda part: -part.area)[:THINGS]:
        sheet = sheet_of(part.mask(), part.slices, look.part, look.step, held=True)
        there.append(sheet and _digit_on(found, sheet, dark=reading.dark))
    on_sheets = [one for one in there if one is not None]
    return on_sheets[0] if len(on_sheets) == 1 else None


def _digit_on(found: Found, sheet: Sheet, *, dark: bool) -> Found | None:
    """What is on a sheet, dark or light, if that is one digit."""
    nearer = _on_sheet(found, sheet)
    return nearer if nearer and _lies_on(sheet, nearer, dark=dark) else None


def _lies_on(sheet: Sheet, found: Found, *, dark: bool) -> bool:
    """Whether one digit, and all of it, was found in a look at a sheet: no hole of a bold 0.

    dark: whether the sheet is.
    """
    look, reading, digit = found
    is_slim = _is_sure(sheet) or reading.stroke <= SLIM
    if reading.digits != 1 or reading.dark == dark or not is_slim:
        return False
    largest = max(parts_of(digit.mask), key=lambda part: part.area)
    if not sheet.is_cornered and largest.longer < LONG * stroke_width(largest.mask()):
        return False
    inside = sheet.within(digit.mask.shape, look.part, look.step)
    return not (digit.mask & ~narrowed(inside, EDGE)).any()


def _contains(outer: Box, inner: Box, by: int = 0) -> bool:
    return all(outer[i] <= inner[i] + by and outer[i + 2] >= inner[i + 2] - by for i in (0, 1))


def _covers(one: Box, other: Box) -> bool:
    """Whether one box is nearly as high and as wide as the other, and not beside it."""
    return all(
        min(one[i + 2], other[i + 2]) - max(one[i], other[i]) > COVERED * (other[i + 2] - other[i])
        for i in (0, 1)
    )


def _refined(found: Found) -> Reading:
    """What was read, but in finer pixels where the digit is small in what was looked at.

    If only a part of fine strokes had been seen, it is followed to where they end.
    """
    look, reading, _ = found
    box, part = reading.box, look.part
    size = max(box[2] - box[0], box[3] - box[1])
    longer = max(part[2] - part[0], part[3] - part[1])
    if look.step == 1 or size * look.pixels >= SHARP * longer:
        return reading
    for _ in range(WIDER):
        around, shadowed = _around(box, part), look.ink.shadowed
        finer = look_at(look.image, around, look.pixels, look.sheet, shadowed=shadowed)
        if finer is None:
            break
        closer = replace(read_in(finer).reading, digits=reading.digits)
        if _is_same(closer.box, reading.box):
            return closer
        if not _contains(closer.box, reading.box, 2 * look.step):
            break
        box = closer.box
        goes_on = any(box[i] == around[i] != part[i] for i in range(4))
        if not goes_on:
            return closer
    return reading


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
