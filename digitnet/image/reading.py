"""From a picture to the 28×28 pixels that a network sees, and what was decided on the way."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.activations import FloatArray
from digitnet.errors import ImageError
from digitnet.image.digit import Digit, find_digit
from digitnet.image.field import BOX, FINE, centred, enlarged, fitted, sharpened
from digitnet.image.files import Picture, brightness, name_of, open_picture
from digitnet.image.ink import Ink, narrowed, otsu, stroke_width, widened
from digitnet.image.paper import find_ink, slope_of_light, smoothed
from digitnet.image.parts import parts_of
from digitnet.image.shadow import without_shadows_beside
from digitnet.image.sheet import Box, Sheet, alone, sheet_of

COARSE = 320  # pixels of the longer side: enough to tell ink from paper
SHARP = 100  # pixels of a digit: fewer are looked at again in a finer picture, if there is one
MARGIN = 0.3  # of the digit's longer side: paper around it in that picture
THIN = 2  # pixels of the box: such strokes, as those of tiny pictures, are full ink at few places
FULL = 0.9  # of what is inked by them is fainter than what counts as full
AS_DARK = 0.1  # of the paper in a digit's box may be as dark as the digit
NEARLY = 0.15  # of the contrast: what is lighter by less is as dark
LEAST_WRITING = 10  # pixels of its longer side: where the light is uneven, less is a fold or a seam
LONGEST = 10  # times its longer side, where light is uneven: longer strokes are a pattern
SLENDER, HAIRLINE = 0.2, 0.0125  # of a line's length: its box aslant, and how thick it is
COVERED = 0.6  # of a sheet's height and width: what is there is its edges, and no digit
LEAST_SHEET = 30  # of its pixels: smaller ones may be bold digits, if no other is on them
EDGE = 2  # pixels beside a digit, of which ink covers some
SLIM = 0.2  # of its longer side: strokes of a digit, not the hole of a bold 0
SHEETS = 2  # on top of each other


@dataclass(frozen=True, eq=False)
class Reading:
    """A prepared picture, and what each step decided.

    image: uint8 (28, 28). dark: whether the ink is darker than the paper. threshold: above
    which there is ink, of the contrast between both, or where light is uneven, of the light that
    ink takes away. box: top, left, bottom and right of the digit in the upright picture, in pixels.
    stroke: how wide its lines are, in pixels of the 20×20 box that it fills. corner: where that box
    came to on the field. digits: how many there seem to be, 0 where the ink is no writing.
    """

    image: NDArray[np.uint8]
    dark: bool
    threshold: float
    box: Box
    stroke: float
    corner: tuple[int, int]
    digits: int


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


class Look(NamedTuple):
    """The ink in a part of a picture.

    step: pixels of the picture that are one of `light`. sheet: the only one of it, if it is known.
    """

    image: Image.Image
    part: Box
    step: int
    light: FloatArray
    ink: Ink
    sheet: Sheet | None = None


def first_look(image: Image.Image, name: str) -> Look:
    """At the whole of what `open_picture` returned. Raises ImageError where there is no ink."""
    return _look(image, (0, 0, image.height, image.width), name)


def look_closer(look: Look, name: str) -> Reading:
    """What is read at last: on the sheet, if a look shows one, and in finer pixels.

    Raises ImageError for a sheet or box that is empty.
    """
    reading, digit = _read(look)
    if (reading.digits != 1 or not look.ink.is_even) and _sheet(look, digit) is None:
        look, reading, digit = _on_lightest(look, reading, name) or (look, reading, digit)
    for _ in range(SHEETS):
        sheet = _sheet(look, digit)
        if sheet is None or reading.digits > 1:
            break
        try:
            nearer = _look(look.image, sheet.part, name, sheet)
        except ImageError:
            if sheet.may_be_digit:
                break
            raise ImageError(name, "expected a digit, found an empty sheet or box") from None
        on_it, digit = _read(nearer)
        is_doubtful = not sheet.is_cornered or min(sheet.inside.shape) < LEAST_SHEET
        if is_doubtful and not _lies_on(sheet, nearer, on_it, digit, dark=reading.dark):
            break
        look, reading = nearer, on_it
    return _closer(look, reading, name)


def _sheet(look: Look, digit: Digit) -> Sheet | None:
    """The sheet that what was found in a look may be instead."""
    return sheet_of(digit.mask[digit.box], digit.box, look.part, look.step)


def _on_lightest(look: Look, reading: Reading, name: str) -> tuple[Look, Reading, Digit] | None:
    """A look at the sheet of paper that the lightest large part is, if there is a digit on it.

    None for what needs none: digits on it, or so small beside it that they are no edge of a sheet,
    which may be the part of the paper that is not in a shadow; and where there are two.
    """
    light = smoothed(look.light)
    threshold, _, _ = otsu(light)
    *others, largest = sorted(parts_of(light > threshold), key=lambda part: part.area)
    if others and 2 * others[-1].area > largest.area:
        return None
    whole = _in_picture(look, largest.slices)
    if reading.digits and (_contains(whole, reading.box) or not _covers(reading.box, whole)):
        return None
    sheet = sheet_of(largest.mask(), largest.slices, look.part, look.step)
    if sheet is None:
        return None
    try:
        nearer = _look(look.image, sheet.part, name, sheet)
    except ImageError:
        return None
    reading, digit = _read(nearer)
    is_there = _lies_on(sheet, nearer, reading, digit, dark=False)
    return (nearer, reading, digit) if is_there else None


def _lies_on(sheet: Sheet, look: Look, reading: Reading, digit: Digit, *, dark: bool) -> bool:
    """Whether one digit, and all of it, was found in a look at a sheet: no hole of a bold 0.

    dark: whether the sheet is.
    """
    if reading.digits != 1 or reading.dark == dark or reading.stroke > SLIM * BOX:
        return False
    inside = sheet.within(digit.mask.shape, look.part, look.step)
    return not (digit.mask & ~narrowed(inside, EDGE)).any()


def _in_picture(look: Look, box: tuple[slice, slice]) -> Box:
    """Rows and columns of a look's `light` as a box in the picture."""
    (top, left, bottom, right), step = look.part, look.step
    rows, columns = box
    return (
        top + step * rows.start,
        left + step * columns.start,
        min(top + step * rows.stop, bottom),
        min(left + step * columns.stop, right),
    )


def _contains(outer: Box, inner: Box) -> bool:
    return all(outer[i] <= inner[i] and outer[i + 2] >= inner[i + 2] for i in (0, 1))


def _covers(one: Box, other: Box) -> bool:
    """Whether one box is nearly as high and as wide as the other, and not beside it."""
    return all(
        min(one[i + 2], other[i + 2]) - max(one[i], other[i]) > COVERED * (other[i + 2] - other[i])
        for i in (0, 1)
    )


def _closer(look: Look, reading: Reading, name: str) -> Reading:
    """The reading of a digit that is small in what was looked at, from a finer picture."""
    top, left, bottom, right = reading.box
    part = look.part
    size = max(bottom - top, right - left)
    longer = max(part[2] - part[0], part[3] - part[1])
    if longer <= COARSE or size * COARSE >= SHARP * longer:
        return reading
    margin = round(MARGIN * size)
    around = (
        max(top - margin, part[0]),
        max(left - margin, part[1]),
        min(bottom + margin, part[2]),
        min(right + margin, part[3]),
    )
    try:
        finer = _look(look.image, around, name, look.sheet, shadowed=look.ink.shadowed)
    except ImageError:
        return reading
    return replace(_read(finer)[0], digits=reading.digits)


def _look(
    image: Image.Image,
    part: Box,
    name: str,
    sheet: Sheet | None = None,
    *,
    shadowed: bool = False,
) -> Look:
    whole, (top, left, bottom, right) = image, part
    step = -(-max(right - left, bottom - top) // COARSE)
    if step > 1:
        image = image.reduce(step, (left, top, right, bottom))
    elif part != (0, 0, image.height, image.width):
        image = image.crop((left, top, right, bottom))
    light = brightness(image)
    if sheet is not None:
        light = alone(light, sheet.within(light.shape, part, step))
    ink = find_ink(light, shadowed=shadowed)
    if ink is None:
        raise ImageError(name, "expected a digit, found no ink")
    return Look(whole, part, step, light, without_shadows_beside(ink), sheet)


def _read(look: Look) -> tuple[Reading, Digit]:
    """The digit in the part that was looked at."""
    ink = look.ink
    digit = find_digit(ink.marked, ink.sure)
    mask, strength = digit.mask[digit.box], ink.strength[digit.box]
    if not digit.alone:
        strength = np.where(widened(mask, EDGE), strength, 0)
    width = stroke_width(mask, float(np.add.reduce(strength, axis=None)))
    size = max(strength.shape)
    stroke = width * BOX / size
    fit = fitted(enlarged(strength), width * FINE) if size < BOX else fitted(strength, width)
    full = np.maximum.reduce(fit, axis=None)
    if stroke < THIN or size < BOX:
        full = _full(fit[fit > full / 4])
    fit = np.minimum(fit / full, 1)
    if size < BOX:
        fit = sharpened(fit, size)
    field, corner = centred(fit)
    box = _in_picture(look, digit.box)
    digits = digit.digits if _is_written(look, digit, width) else 0
    return Reading(field, ink.dark, ink.threshold, box, stroke, corner, digits), digit


def _is_written(look: Look, digit: Digit, width: float) -> bool:
    """Whether it has a digit's size and strokes, and little in its box is as dark and yet paper.

    Much is in the folds and seams of things, and along their edges. width: of its strokes.
    """
    ink, light = look.ink, look.light
    mask = digit.mask[digit.box]
    if _is_hairline(digit.box, light.shape, width):
        return False
    if ink.is_even and look.sheet is None:
        return True
    if np.count_nonzero(mask) > LONGEST * width * max(mask.shape):
        return False
    light = smoothed(light)
    flat = light - slope_of_light(light)
    darkness = (-flat if ink.dark else flat)[digit.box]
    paper = darkness[~ink.marked[digit.box]]
    shade = np.median(darkness[mask])
    as_dark = shade - NEARLY * (shade - np.minimum.reduce(darkness, axis=None))
    is_large = look.step * max(darkness.shape) >= LEAST_WRITING
    return is_large and bool(np.count_nonzero(paper >= as_dark) <= AS_DARK * len(paper))


def _is_hairline(box: tuple[slice, slice], shape: tuple[int, ...], width: float) -> bool:
    """Whether a part of a picture is a line from side to side, finer than any 1, as on a margin.

    What is cropped to its ink is none. width: of its strokes.
    """
    lengths: list[tuple[int, int]] = [
        (side.stop - side.start, whole) for side, whole in zip(box, shape)
    ]
    (across, breadth), (along, length) = sorted(lengths)
    if along < length - 2 * EDGE or across >= breadth - 2 * EDGE:
        return False
    return across < SLENDER * along and width < HAIRLINE * along


def _full(ink: FloatArray) -> float:
    """What full ink is, (n,): the darkest pixels are where thin strokes cross."""
    return float(np.sort(ink)[int(FULL * len(ink))])
