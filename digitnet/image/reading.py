"""From a picture to the 28×28 pixels that a network sees, and what was decided on the way."""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.activations import FloatArray
from digitnet.errors import ImageError
from digitnet.image.field import BOX, centred, fitted
from digitnet.image.files import Picture, brightness, name_of, open_picture
from digitnet.image.ink import Ink, otsu, stroke_width, widened
from digitnet.image.paper import find_ink, slope_of_light, smoothed
from digitnet.image.parts import Digit, find_digit, join, mask_of, runs_of

COARSE = 320  # pixels of the longer side: enough to tell ink from paper
SHARP = 100  # pixels of a digit: fewer are looked at again in a finer picture, if there is one
MARGIN = 0.3  # of the digit's longer side: paper around it in that picture
FILLED = 0.5  # of its box: what covers more may be a sheet of paper on a table
SOLID = 0.8  # of what lies within its outline: the rest may be a digit on it
QUADRANGLE = 0.93  # of a sheet and of what is between its corners is common: of digits 0.90
THIN = 2  # pixels of the box: such strokes, as those of tiny pictures, are full ink at few places
FULL = 0.9  # of what is inked by them is fainter than what counts as full
LEAST_SHEET, LONGEST_SHEET = 30, 2  # pixels of its shorter side, and times that: longer is a 1
RIM = 0.12  # of that side: left away, for shadows at its edge, and where it lies aslant
LONGEST_EMPTY = 1.6  # times its shorter side: what is longer, and empty, is a broad 1
LONGEST_FRAME = 1.3  # times: what is longer may be a 0 of straight lines
AS_DARK = 0.1  # of the paper in a digit's box may be as dark as the digit
NEARLY = 0.15  # of the contrast: what is lighter by less is as dark
LEAST_WRITING = 10  # pixels of its longer side: where the light is uneven, less is a fold or a seam
LONGEST = 10  # times its longer side, where light is uneven: longer strokes are a pattern
SLENDER, HAIRLINE = 0.2, 0.0125  # of a line's length: its box aslant, and how thick it is
COVERED = 0.6  # of a sheet's height and width: what is there is its edges, and no digit
EDGE = 2  # pixels beside a digit, of which ink covers some
SHEETS = 2  # on top of each other


Box = tuple[int, int, int, int]  # top, left, bottom, right


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
    """The ink in a part (left, top, right, bottom) of a picture.

    step: pixels of the picture that are one of `light`.
    """

    image: Image.Image
    part: tuple[int, int, int, int]
    step: int
    light: FloatArray
    ink: Ink


def first_look(image: Image.Image, name: str) -> Look:
    """At the whole of what `open_picture` returned. Raises ImageError where there is no ink."""
    return _look(image, (0, 0, image.width, image.height), name)


def look_closer(look: Look, name: str) -> Reading:
    """What is read at last: on the sheet, if a look shows one, and in finer pixels.

    Raises ImageError for a sheet or box that is empty.
    """
    reading, is_sheet = _read(look)
    if not is_sheet and (reading.digits != 1 or not look.ink.is_even):
        look, reading, is_sheet = _on_sheet(look, reading, name) or (look, reading, is_sheet)
    for _ in range(SHEETS):
        top, left, bottom, right = reading.box
        shorter, longer = sorted((bottom - top, right - left))
        if not is_sheet:
            break
        inset = round(RIM * shorter)
        try:
            part = left + inset, top + inset, right - inset, bottom - inset
            look = _look(look.image, part, name)
            reading, is_sheet = _read(look)
        except ImageError:
            if longer > LONGEST_EMPTY * shorter:
                break
            raise ImageError(name, "expected a digit, found an empty sheet or box") from None
    return _closer(look.image, reading, look.part, name)


def _on_sheet(look: Look, reading: Reading, name: str) -> tuple[Look, Reading, bool] | None:
    """A look at the sheet of paper that the lightest large part is, if there is a digit on it.

    None for what needs none: one digit on it, or so small beside it that it is no edge of a sheet,
    which may be the part of the paper that is not in a shadow.
    """
    light = smoothed(look.light)
    if min(light.shape) < 2 * LEAST_SHEET:
        return None
    threshold, _, _ = otsu(light)
    sheet = max(join(runs_of(light > threshold)), key=lambda part: part.area)
    whole = _in_picture(look, sheet.top, sheet.left, sheet.bottom, sheet.right)
    if reading.digits == 1 and (_contains(whole, reading.box) or not _covers(reading.box, whole)):
        return None
    shorter = min(sheet.height, sheet.width)
    box = slice(sheet.top, sheet.bottom), slice(sheet.left, sheet.right)
    if shorter < LEAST_SHEET or not _is_sheet(mask_of([sheet], light.shape)[box]):
        return None
    inset = round(RIM * shorter)
    top, left, bottom, right = _in_picture(
        look, sheet.top + inset, sheet.left + inset, sheet.bottom - inset, sheet.right - inset
    )
    try:
        nearer = _look(look.image, (left, top, right, bottom), name)
    except ImageError:
        return None
    reading, is_sheet = _read(nearer)
    edge = EDGE * nearer.step
    inside = top + edge, left + edge, bottom - edge, right - edge
    is_whole = reading.digits == 1 and _contains(inside, reading.box)
    return (nearer, reading, is_sheet) if is_whole else None


def _in_picture(look: Look, top: int, left: int, bottom: int, right: int) -> Box:
    """A box in the pixels of a look's `light` as one in those of the picture."""
    x, y = look.part[:2]
    return y + look.step * top, x + look.step * left, y + look.step * bottom, x + look.step * right


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and outer[2] >= inner[2]
        and outer[3] >= inner[3]
    )


def _covers(one: Box, other: Box) -> bool:
    """Whether one box is nearly as high and as wide as the other, and not beside it."""
    return all(
        min(one[i + 2], other[i + 2]) - max(one[i], other[i]) > COVERED * (other[i + 2] - other[i])
        for i in (0, 1)
    )


def _closer(
    image: Image.Image, reading: Reading, part: tuple[int, int, int, int], name: str
) -> Reading:
    """The reading of a digit that is small in the part it was found in, from a finer picture."""
    top, left, bottom, right = reading.box
    size = max(bottom - top, right - left)
    longer = max(part[2] - part[0], part[3] - part[1])
    if longer <= COARSE or size * COARSE >= SHARP * longer:
        return reading
    margin = round(MARGIN * size)
    around = (
        max(left - margin, part[0]),
        max(top - margin, part[1]),
        min(right + margin, part[2]),
        min(bottom + margin, part[3]),
    )
    try:
        return replace(_read(_look(image, around, name))[0], digits=reading.digits)
    except ImageError:
        return reading


def _look(image: Image.Image, part: tuple[int, int, int, int], name: str) -> Look:
    whole, (left, top, right, bottom) = image, part
    step = -(-max(right - left, bottom - top) // COARSE)
    if step > 1:
        image = image.reduce(step, part)
    elif part != (0, 0, *image.size):
        image = image.crop(part)
    light = brightness(image)
    ink = find_ink(light)
    if ink is None:
        raise ImageError(name, "expected a digit, found no ink")
    return Look(whole, part, step, light, ink)


def _read(look: Look) -> tuple[Reading, bool]:
    """The digit in the part that was looked at, and whether it is a sheet."""
    _, (left, top, right, bottom), step, light, ink = look
    digit = find_digit(ink.marked, ink.sure)
    rows, columns = digit.box
    mask, strength = digit.mask[digit.box], ink.strength[digit.box]
    if not digit.alone:
        strength = np.where(widened(mask, EDGE), strength, 0)
    width = stroke_width(mask, float(np.add.reduce(strength, axis=None)))
    fit = fitted(strength, width)
    stroke = width * BOX / max(strength.shape)
    full = np.maximum.reduce(fit, axis=None)
    if stroke < THIN or max(strength.shape) < BOX:
        full = _full(fit[fit > full / 4])
    field, corner = centred(np.minimum(fit / full, 1))
    box = (
        top + step * rows.start,
        left + step * columns.start,
        min(top + step * rows.stop, bottom),
        min(left + step * columns.stop, right),
    )
    digits = digit.digits if _is_written(light, ink, digit, step, width) else 0
    reading = Reading(field, ink.dark, ink.threshold, box, stroke, corner, digits)
    shorter, longer = sorted((box[2] - box[0], box[3] - box[1]))
    is_large = shorter >= LEAST_SHEET and longer <= LONGEST_SHEET * shorter
    return reading, is_large and _is_sheet(mask)


def _is_written(light: FloatArray, ink: Ink, digit: Digit, step: int, width: float) -> bool:
    """Whether it has a digit's size and strokes, and little in its box is as dark and yet paper.

    Much is in the folds and seams of things, and along their edges. step: pixels of the picture
    that are one of `light`. width: of its strokes.
    """
    mask = digit.mask[digit.box]
    if _is_margin(digit.box, light.shape, width):
        return False
    if ink.is_even:
        return True
    if np.count_nonzero(mask) > LONGEST * width * max(mask.shape):
        return False
    light = smoothed(light)
    flat = light - slope_of_light(light)
    darkness = (-flat if ink.dark else flat)[digit.box]
    paper = darkness[~ink.marked[digit.box]]
    shade = np.median(darkness[mask])
    as_dark = shade - NEARLY * (shade - np.minimum.reduce(darkness, axis=None))
    is_large = step * max(darkness.shape) >= LEAST_WRITING
    return is_large and bool(np.count_nonzero(paper >= as_dark) <= AS_DARK * len(paper))


def _is_margin(box: tuple[slice, slice], shape: tuple[int, ...], width: float) -> bool:
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


def _is_sheet(mask: NDArray[np.bool_]) -> bool:
    """Whether a part has four corners, as no digit but a bar has, and few gaps or but one.

    That one is the paper in a printed box: a square one, or it could be a 0 of straight lines.
    """
    area = np.count_nonzero(mask)
    shorter, longer = sorted(mask.shape)
    rim = max(round(RIM * shorter), 1)
    is_frame = longer < LONGEST_FRAME * shorter and not bool(mask[rim:-rim, rim:-rim].any())
    if area < FILLED * mask.size and not is_frame:
        return False
    across, down = (
        np.logical_or.accumulate(m, 1) & np.logical_or.accumulate(m[:, ::-1], 1)[:, ::-1]
        for m in (mask, mask.T)
    )
    outline = across & down.T
    solid = is_frame or bool(area > SOLID * np.count_nonzero(outline))
    return solid and _quadrangularity(outline) > QUADRANGLE


def _quadrangularity(outline: NDArray[np.bool_]) -> float:
    """How much of an outline and of the quadrangle between its four corners is common: 0 to 1.

    The corners are the ends of its diagonals, or of its axes where that is more alike.
    """
    y, x = np.nonzero(outline)
    most = 0.0
    for ends in ((y + x, y - x, -y - x, x - y), (y, -x, -y, x)):
        corners = [int(end.argmax()) for end in ends]
        twice, steps = 0, 0  # the area between the corners' middles, and pixels around it
        inside = np.ones(len(y), np.bool_)
        for one, two in zip(corners, corners[1:] + corners[:1]):
            dy, dx = int(y[two] - y[one]), int(x[two] - x[one])
            inside &= dx * (y - y[one]) - dy * (x - x[one]) >= -math.hypot(dy, dx)  # a pixel off
            twice += int(x[one]) * dy - int(y[one]) * dx
            steps += max(abs(dy), abs(dx))
        within = (abs(twice) + steps) / 2 + 1  # in pixels, about: Pick's theorem
        both = min(float(np.count_nonzero(inside)), within)
        most = max(most, both / max(float(len(y)), within))
    return most
