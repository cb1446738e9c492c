"""Prepare a picture as the 28×28 pixels that a network sees, and record each decision."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.errors import ImageError
from digitnet.image.evidence import CLEAR_COST, Score
from digitnet.image.files import SHRUNK, Picture, name_of, open_picture
from digitnet.image.look import (
    COARSE_RESOLUTION,
    FINE_RESOLUTION,
    NO_INK,
    Look,
    LookResult,
    Reading,
    look_at,
    no_ink_error,
    read_look,
    reduction,
)
from digitnet.image.marks.sheet import Box, Sheet, lightest_sheet, sheet_of

Steps = tuple[Callable[[Image.Image, str], Look], Callable[[Look, str], Reading]]

EMPTY_SHEET = "expected a digit, found an empty sheet or box"
BLANK = (NO_INK, EMPTY_SHEET)  # problems of pictures that can be read but show nothing

MIN_DIGIT_SIDE = 100  # px of the longer side: below this the digit is re-read at full resolution
DIGIT_MARGIN = 0.3  # of the digit's longer side: paper around it when it is re-read
SAME_DIGIT_IOU = 0.6  # intersection over union of two boxes: from this on they hold the same digit
MIN_SHEET_SIDE = 30  # px of a look's shorter side: in smaller ones a sheet may be a bold digit


def prepare(picture: Picture, name: str | None = None) -> NDArray[np.uint8]:
    """Return a picture as uint8 (28, 28): white ink on black paper.

    picture: a path, a file's bytes, a Pillow image or an array (h, w) or (h, w, 3) of uint8.
    Raises ImageError, which names the picture `name`, for a picture that cannot be read, is too
    large, is animated or has no ink. Pillow may warn about readable files; callers may filter the
    warnings.
    """
    return read(picture, name).image


def read(picture: Picture, name: str | None = None, score: Score | None = None) -> Reading:
    """Return the prepared picture and the decisions; raises what `prepare` raises.

    score: scores candidates with the network; without it, the prior alone decides.
    """
    name = name or name_of(picture)
    first, second = reading_steps(score)
    return second(first(open_picture(picture, name), name), name)


def reading_steps(score: Score | None = None) -> Steps:
    """Return the two steps from a decoded picture to its reading.

    Each takes the result of the step before, and the picture's name. The first is cheap and the
    same for all models; the second needs the network.
    """
    return first_look, partial(look_closer, score=score)


def first_look(image: Image.Image, name: str) -> Look:
    """Return a look at a whole decoded picture; raises ImageError where it has no ink."""
    look = look_at(image, COARSE_RESOLUTION)
    if look is None and _has_finer(image):
        look = look_at(image, FINE_RESOLUTION)
    if look is None:
        raise no_ink_error(name)
    return look


def _has_finer(image: Image.Image) -> bool:
    """Return whether the fine resolution shows more of a picture than the coarse one."""
    size = image.height, image.width
    return reduction(*size, FINE_RESOLUTION) < reduction(*size, COARSE_RESOLUTION)


def look_closer(look: Look, name: str, score: Score | None = None) -> Reading:
    """Return the reading of a picture after its first look.

    If the look shows a sheet of paper, only the sheet is read. Where no candidate is clearly a
    digit, other looks are tried. A small digit is re-read at full resolution. Raises ImageError for
    an empty sheet or box.
    """
    result = _best_result(look, score)
    if result is None:
        raise ImageError(name, EMPTY_SHEET)
    reading = _reread(result, score)
    shrunk: int = look.image.info.get(SHRUNK, 1)
    if shrunk == 1:
        return reading
    top, left, bottom, right = (shrunk * side for side in reading.box)
    return replace(reading, box=(top, left, bottom, right))


def _best_result(look: Look, score: Score | None) -> LookResult | None:
    """Return the cheapest candidate in the look and, where none is clear, in other looks.

    None for an empty sheet.
    """
    best, is_empty = read_look(look, score), False
    if min(look.light.shape) < MIN_SHEET_SIDE:
        return best
    sheet = sheet_of(best.candidate.mask, best.candidate.box.slices, look.part, look.step)
    if sheet is not None:
        on_sheet = _read_sheet(look, sheet, score)
        is_empty = on_sheet is None and sheet.is_cornered
        if on_sheet and (sheet.is_cornered or on_sheet.cost < best.cost):
            best = on_sheet
    if score is not None and (is_empty or best.cost > CLEAR_COST):
        least = CLEAR_COST if is_empty else best.cost
        box = best.reading.box
        for result in _other_looks(look, score):
            if result is None or (is_empty and _is_same_digit(result.reading.box, box)):
                continue
            if result.cost < least:
                best, is_empty, least = result, False, result.cost
    return None if is_empty else best


def _other_looks(look: Look, score: Score) -> Iterator[LookResult | None]:
    """Yield the best candidates for dark ink, on the lightest sheet, and at the fine resolution."""
    if not look.ink.dark:
        dark = look_at(look.image, look.resolution, look.part, look.sheet, dark=True)
        yield dark and read_look(dark, score)
    sheet = lightest_sheet(look.light, look.part, look.step)
    yield sheet and _read_sheet(look, sheet, score)
    if look.resolution == COARSE_RESOLUTION and _has_finer(look.image):
        finer = look_at(look.image, FINE_RESOLUTION)
        yield finer and read_look(finer, score)


def _read_sheet(look: Look, sheet: Sheet, score: Score | None) -> LookResult | None:
    """Return the best candidate on a sheet of paper, or None for an empty sheet."""
    closer = look_at(look.image, look.resolution, sheet=sheet)
    return closer and read_look(closer, score)


def _reread(result: LookResult, score: Score | None) -> Reading:
    """Return the reading; a digit that is small in its look is read again in a closer look."""
    look, reading, *_ = result
    box, part = reading.box, look.part
    size = max(box[2] - box[0], box[3] - box[1])
    longer = max(part[2] - part[0], part[3] - part[1])
    if look.step == 1 or size * look.resolution >= MIN_DIGIT_SIDE * longer:
        return reading
    around, shadowed = _with_margin(box, part), look.ink.shadowed
    finer = look_at(look.image, look.resolution, around, look.sheet, shadowed=shadowed)
    if finer is None:
        return reading
    closer = replace(read_look(finer, score).reading, digits=reading.digits, prior=reading.prior)
    return closer if _is_same_digit(closer.box, reading.box) else reading


def _with_margin(box: Box, part: Box) -> Box:
    """Return a box with a margin of paper around it, within a part of the picture."""
    margin = round(DIGIT_MARGIN * max(box[2] - box[0], box[3] - box[1]))
    top, left, bottom, right = box
    return (
        max(top - margin, part[0]),
        max(left - margin, part[1]),
        min(bottom + margin, part[2]),
        min(right + margin, part[3]),
    )


def _is_same_digit(one: Box, other: Box) -> bool:
    """Return whether two boxes overlap so much that they hold the same digit."""
    height, width = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    intersection = max(height, 0) * max(width, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return intersection >= SAME_DIGIT_IOU * (sum(areas) - intersection)
