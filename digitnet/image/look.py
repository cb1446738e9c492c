"""A look at a part of a picture: where its ink is, and what is read there."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.activations import FloatArray
from digitnet.image.digit import Digit, find_digit
from digitnet.image.edges import without_edges
from digitnet.image.field import BOX, EDGE, to_field
from digitnet.image.files import brightness
from digitnet.image.ink import LEAST_PAGE, Ink
from digitnet.image.paper import find_ink
from digitnet.image.shadow import without_shadows_beside
from digitnet.image.sheet import Box, Sheet, alone, in_picture
from digitnet.image.uneven import slope_of_light, smoothed

COARSE, FINE_ENOUGH = 320, 640  # pixels of the longer side: enough to tell ink from paper, mostly
STRIP = 5  # times as many, at most, of a strip
AS_DARK = 0.1  # of the paper in a digit's box may be as dark as the digit
NEARLY = 0.15  # of the contrast: what is lighter by less is as dark
LEAST_WRITING = 10  # pixels of its longer side: where the light is uneven, less is a fold or a seam
LONGEST = 10  # times its longer side, where light is uneven: longer strokes are a pattern
SEAM, LEAST_STROKE = 0.35, 0.6  # of its length, how broad; of a little picture's side, how long
SLENDER, HAIRLINE = 0.2, 0.02  # of a line's length: its box aslant, and how thick it is


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


class Look(NamedTuple):
    """The ink in a part of a picture.

    pixels: how many its longer side was to have. step: pixels of the picture that are one of
    `light`. sheet: the only one of it, if it is known.
    """

    image: Image.Image
    part: Box
    pixels: int
    step: int
    light: FloatArray
    ink: Ink
    sheet: Sheet | None = None


class Found(NamedTuple):
    """What is read in a look, and the marks that are."""

    look: Look
    reading: Reading
    digit: Digit


def look_at(
    image: Image.Image,
    part: Box,
    pixels: int,
    sheet: Sheet | None = None,
    *,
    shadowed: bool = False,
    dark: bool | None = None,
    cleaned: bool = True,
) -> Look | None:
    """At rows and columns `part` of a picture, in so many pixels of the longer side, or more of a
    long strip.

    sheet: what alone is looked at there. shadowed, dark: whether there is known to be a shadow, and
    whether ink is known to be darker or lighter than the paper. cleaned: without ink that is much
    fainter than other ink, as shadows are, and without edges. None where there is no ink.
    """
    whole, (top, left, bottom, right) = image, part
    step = step_of(bottom - top, right - left, pixels)
    if step > 1:
        image = image.reduce(step, (left, top, right, bottom))
    elif part != (0, 0, image.height, image.width):
        image = image.crop((left, top, right, bottom))
    light = brightness(image)
    if sheet is not None:
        light = alone(light, sheet.within(light.shape, part, step))
    ink = find_ink(light, shadowed=shadowed, dark=dark)
    if ink is None:
        return None
    if cleaned:
        ink = without_edges(without_shadows_beside(ink), light)
    return Look(whole, part, pixels, step, light, ink, sheet)


def step_of(height: int, width: int, pixels: int) -> int:
    """How many pixels of a part of a picture become one, so that the longer side has `pixels`.

    Fewer of a strip, so that the shorter side has LEAST_PAGE or the longer one STRIP times as many.
    """
    shorter, longer = sorted((height, width))
    of_strip = max(shorter // LEAST_PAGE, math.ceil(longer / (STRIP * pixels)))
    return min(math.ceil(longer / pixels), of_strip)


def read_in(look: Look) -> Found:
    """The digit in the part that was looked at."""
    ink = look.ink
    digit = find_digit(ink.marked, ink.sure)
    mask, strength = digit.mask[digit.box], ink.strength[digit.box]
    field = to_field(strength, mask, alone=digit.alone)
    stroke = field.width * BOX / max(mask.shape)
    box = in_picture(digit.box, look.part, look.step)
    digits = digit.digits if _is_written(look, digit, field.width) else 0
    reading = Reading(field.image, ink.dark, ink.threshold, box, stroke, field.corner, digits)
    return Found(look, reading, digit)


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
    if max(light.shape) < LEAST_PAGE and _is_seam(digit.box, light.shape):
        return False
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


def _is_seam(box: tuple[slice, slice], shape: tuple[int, ...]) -> bool:
    """Whether a part of a little picture is slender, and too short for a 1, as on a coat."""
    shorter, longer = sorted(side.stop - side.start for side in box)
    return bool(shorter <= SEAM * longer and longer < LEAST_STROKE * max(shape))


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
