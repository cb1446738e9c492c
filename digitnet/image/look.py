"""Look at a part of a picture at some resolution: find its ink, and read the digit in it."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.arrays import FloatArray
from digitnet.errors import ImageError
from digitnet.image.digit import Candidate, candidates_of, count_digits
from digitnet.image.evidence import CLEAR_COST, Score, network_costs
from digitnet.image.field import BOX, Field, to_field
from digitnet.image.files import brightness
from digitnet.image.ink.ink import MIN_PAGE_SIDE, Ink
from digitnet.image.ink.paper import find_ink
from digitnet.image.marks.sheet import Box, Sheet, fill_outside, in_picture

COARSE_RESOLUTION = 320  # px of the longer side: usually enough to separate ink from paper
FINE_RESOLUTION = 640  # px of the longer side: the second attempt, and for numbers
MAX_STRIP = 5  # times the resolution: largest longer side of a long strip
PHOTO_ADVICE = "crop closer to the digit, or photograph it with more light and contrast"
NO_INK = f"expected a digit, found no ink; {PHOTO_ADVICE}"
UNSCORED_WEIGHT = 4.0  # times the context cost of a candidate that no network scores


@dataclass(frozen=True, eq=False)
class Reading:
    """A prepared picture, and what each step of the preparation decided.

    image: uint8 (28, 28). dark: whether the ink is darker than the paper. threshold: a pixel above
    it is ink; a share of the contrast between ink and paper, or under uneven light, of the light
    that ink absorbs. box: top, left, bottom and right of the digit in the upright picture, px.
    stroke: mean stroke width, in pixels of the 20×20 box that the digit fills. corner: row and
    column of that box on the field. digits: how many digits the picture seems to hold. prior: cost
    in nats of the ink outside the digit and of its position, whatever the network says.
    """

    image: NDArray[np.uint8]
    dark: bool
    threshold: float
    box: Box
    stroke: float
    corner: tuple[int, int]
    digits: int
    prior: float = 0.0


class Look(NamedTuple):
    """The ink in a part of a picture.

    part: rows and columns of the picture. resolution: target length of the longer side, px.
    step: side of the squares of pixels that were averaged into one. light: (h, w), brightness of
    the reduced part. sheet: the only sheet of paper that is looked at, if one is known.
    """

    image: Image.Image
    part: Box
    resolution: int
    step: int
    light: FloatArray
    ink: Ink
    sheet: Sheet | None = None


class LookResult(NamedTuple):
    """The cheapest candidate in a look. cost: nats; without a network, a weighted prior."""

    look: Look
    reading: Reading
    candidate: Candidate
    cost: float


def look_at(
    image: Image.Image,
    resolution: int,
    part: Box | None = None,
    sheet: Sheet | None = None,
    *,
    shadowed: bool = False,
    dark: bool | None = None,
) -> Look | None:
    """Return a look at a picture, or None where there is no ink.

    resolution: target length of the longer side, px; a long strip gets more. part: the rows and
    columns to look at; without it, those of the sheet, else the whole picture. sheet: everything
    outside this sheet is ignored. shadowed: whether a shadow is known to lie there. dark: whether
    the ink is darker than the paper, if that is known.
    """
    entire = 0, 0, image.height, image.width
    part = part or (sheet.part if sheet else entire)
    whole, (top, left, bottom, right) = image, part
    step = reduction(bottom - top, right - left, resolution)
    if step > 1:
        image = image.reduce(step, (left, top, right, bottom))
    elif part != entire:
        image = image.crop((left, top, right, bottom))
    light = brightness(image)
    if sheet is not None:
        light = fill_outside(light, sheet.within(light.shape, part, step))
    ink = find_ink(light, shadowed=shadowed, dark=dark)
    if ink is None:
        return None
    return Look(whole, part, resolution, step, light, ink, sheet)


def no_ink_error(name: str) -> ImageError:
    """Return the error for a picture without ink."""
    return ImageError(name, NO_INK)


def reduction(height: int, width: int, resolution: int) -> int:
    """Return the factor that reduces the longer side of a part to about `resolution` pixels.

    A strip is reduced less: the shorter side keeps MIN_PAGE_SIDE pixels, unless the longer side
    then has more than MAX_STRIP times the resolution.
    """
    shorter, longer = sorted((height, width))
    of_strip = max(shorter // MIN_PAGE_SIDE, math.ceil(longer / (MAX_STRIP * resolution)))
    return min(math.ceil(longer / resolution), of_strip)


def read_look(look: Look, score: Score | None = None) -> LookResult:
    """Return the candidate in a look that costs least.

    score: scores candidates with the network; without it, the prior alone decides.
    """
    candidates = candidates_of(look.ink)
    fields: list[Field] = []
    rivals: list[Candidate] = []
    is_only = len(candidates) == 1 and max(look.light.shape) < MIN_PAGE_SIDE
    if is_only or score is None:
        costs = np.array([UNSCORED_WEIGHT * c.context_cost + c.gap_cost for c in candidates])
    else:
        fields = [_field(look.ink, candidate) for candidate in candidates]
        probabilities, evidence, _ = score(np.stack([field.image for field in fields]))
        scored = network_costs(probabilities, evidence)
        rivals = [candidate for candidate, cost in zip(candidates, scored) if cost < CLEAR_COST]
        costs = scored + [candidate.prior for candidate in candidates]
    best = int(costs.argmin())
    chosen = candidates[best]
    field = fields[best] if fields else _field(look.ink, chosen)
    stroke = field.width * BOX / max(chosen.mask.shape)
    box = in_picture(chosen.box.slices, look.part, look.step)
    digits = count_digits(look.ink, chosen, rivals)
    reading = Reading(
        field.image,
        look.ink.dark,
        look.ink.threshold,
        box,
        stroke,
        field.corner,
        digits,
        chosen.context_cost,
    )
    return LookResult(look, reading, chosen, float(costs[best]))


def _field(ink: Ink, candidate: Candidate) -> Field:
    return to_field(ink.strength[candidate.box.slices], candidate.mask, alone=candidate.alone)
