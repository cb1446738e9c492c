"""A look at a part of a picture: where its ink is, and what is read there."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.arrays import FloatArray
from digitnet.image.digit import Candidate, candidates_of, digits_beside
from digitnet.image.evidence import CLEAR, Score, network_costs
from digitnet.image.field import BOX, Field, to_field
from digitnet.image.files import brightness
from digitnet.image.ink.ink import MIN_PAGE_SIDE, Ink
from digitnet.image.ink.paper import find_ink
from digitnet.image.marks.sheet import Box, Sheet, fill_outside, in_picture

COARSE, FINE_ENOUGH = 320, 640  # pixels of the longer side: enough to tell ink from paper, mostly
STRIP = 5  # times as many, at most, of a strip
UNSEEN = 4.0  # times: the cost of ink left out where no network judges


@dataclass(frozen=True, eq=False)
class Reading:
    """A prepared picture, and what each step decided.

    image: uint8 (28, 28). dark: whether the ink is darker than the paper. threshold: above
    which there is ink, of the contrast between both, or where light is uneven, of the light that
    ink takes away. box: top, left, bottom and right of the digit in the upright picture, in pixels.
    stroke: how wide its lines are, in pixels of the 20×20 box that it fills. corner: where that box
    came to on the field. digits: how many there seem to be. prior: nats against a
    digit there, whatever it looks like: for ink left out, and for its place.
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
    """What is read in a look, and its cost in nats, which is the prior where no network judged."""

    look: Look
    reading: Reading
    candidate: Candidate
    cost: float


def look_at(
    image: Image.Image,
    part: Box,
    pixels: int,
    sheet: Sheet | None = None,
    *,
    shadowed: bool = False,
    dark: bool | None = None,
) -> Look | None:
    """At rows and columns `part` of a picture, in so many pixels of the longer side, or more of a
    long strip.

    sheet: what alone is looked at there. shadowed, dark: whether there is known to be a shadow, and
    whether ink is known to be darker or lighter than the paper. None where there is no ink.
    """
    whole, (top, left, bottom, right) = image, part
    step = step_of(bottom - top, right - left, pixels)
    if step > 1:
        image = image.reduce(step, (left, top, right, bottom))
    elif part != (0, 0, image.height, image.width):
        image = image.crop((left, top, right, bottom))
    light = brightness(image)
    if sheet is not None:
        light = fill_outside(light, sheet.within(light.shape, part, step))
    ink = find_ink(light, shadowed=shadowed, dark=dark)
    if ink is None:
        return None
    return Look(whole, part, pixels, step, light, ink, sheet)


def step_of(height: int, width: int, pixels: int) -> int:
    """How many pixels of a part of a picture become one, so that the longer side has `pixels`.

    Fewer of a strip, so that the shorter side has MIN_PAGE_SIDE or the longer STRIP times as many.
    """
    shorter, longer = sorted((height, width))
    of_strip = max(shorter // MIN_PAGE_SIDE, math.ceil(longer / (STRIP * pixels)))
    return min(math.ceil(longer / pixels), of_strip)


def read_in(look: Look, score: Score | None = None) -> Found:
    """Return the candidate in a look that costs least.

    score: what the network says of candidates; without it, the prior alone chooses.
    """
    candidates = candidates_of(look.ink)
    fields: list[Field] = []
    rivals: list[Candidate] = []
    is_only = len(candidates) == 1 and max(look.light.shape) < MIN_PAGE_SIDE
    if is_only or score is None:
        costs = np.array([UNSEEN * one.against + one.gaps for one in candidates])
    else:
        fields = [_field(look.ink, one) for one in candidates]
        shares, nats, _ = score(np.stack([field.image for field in fields]))
        judged = network_costs(shares, nats)
        rivals = [one for one, cost in zip(candidates, judged) if cost < CLEAR]
        costs = judged + [one.prior for one in candidates]
    best = int(costs.argmin())
    chosen = candidates[best]
    field = fields[best] if fields else _field(look.ink, chosen)
    stroke = field.width * BOX / max(chosen.mask.shape)
    box = in_picture(chosen.box.slices, look.part, look.step)
    digits = digits_beside(look.ink, chosen, rivals)
    reading = Reading(
        field.image,
        look.ink.dark,
        look.ink.threshold,
        box,
        stroke,
        field.corner,
        digits,
        chosen.against,
    )
    return Found(look, reading, chosen, float(costs[best]))


def _field(ink: Ink, candidate: Candidate) -> Field:
    return to_field(ink.strength[candidate.box.slices], candidate.mask, alone=candidate.alone)
