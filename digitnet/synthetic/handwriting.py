"""Draw synthetic digits in forms from around the world; MNIST's writers are from the United States.

Examples: the 1 with a long upstroke or a foot, the crossed 7, the open 4 and the lightning-shaped
4, the 9 that curls or ends in a hook, the 3 with a flat top.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.synthetic.strokes import Script, draw, prepare_ink

GROUP = 64  # pictures made together: few enough for the cache
DIGIT_VARIANTS = (  # forms of each digit, 0 to 9, in the notation of `strokes`
    (
        "~20 10 01 03 05 16 26 36 45 43 41 30 20",
        "~30 20 01 02 04 05 16 36 45 43 41 30 10",
        "~11 20 30 41 43 45 36 16 05 03 01 10 21",
    ),
    (
        "20 26",
        "02 20 26",
        "04 20 26",
        "11 20 26",
        "03 30 36",
        "12 20 26, 06 46",
        "03 20 26, 16 36",
        "~04 12 20, 20 26",
    ),
    (
        "~01 00 20 40 43 24 06, 06 46",
        "~02 10 30 42 24 06, 06 46",
        "~01 10 30 42 25 06 05 15 36 46",
        "~01 00 40 42 33 06, ~06 15 36 45",
        "~12 02 10 30 42 24 06, 06 46",
        "~13 02 00 40 43 24 05 15 36 45",
    ),
    (
        "~00 20 40 42 23, ~23 43 46 26 06",
        "~01 10 40 42 13, ~13 44 46 26 05",
        "00 40 13, ~13 43 46 26 05",
        "~00 30 41 22 23 22 44 46 06",
    ),
    (
        "10 04 44, 31 36",
        "00 03 43, 40 46",
        "~00 03 13 43, 40 46",
        "30 04 44, 32 36",
        "26 20 04 44",
        "36 30 04 44",
        "~20 14 04 44, 42 36",
        "~00 04 24 43 40, 40 46",
        "20 04 43, 33 36",
        "30 04 44, 22 36",
        "~20 12 04 44, 32 26",
    ),
    (
        "40 00 02, ~02 32 44 46 26 05",
        "00 02, ~02 32 44 46 26 05, 00 40",
        "~40 10 00 03 43 45 36 06",
        "10 03, ~03 42 45 36 16 05, 10 40",
        "10 13, ~13 42 45 36 06, 11 41",
    ),
    (
        "~30 10 03 06 26 45 43 23 04",
        "~40 02 05 16 36 45 33 13 04",
        "30 03, ~03 06 46 43 13 04",
        "~20 00 04 06 36 45 43 13 04",
    ),
    (
        "00 40 16",
        "00 40 16, 13 43",
        "01 00 40 16",
        "01 00 40 16, 13 33",
        "~00 20 40 33 26",
        "~01 00 20 40 33 16, 13 43",
        "~01 00 10 30 40, 40 26",
    ),
    (
        "~31 20 00 02 23 44 46 26 06 04 23 42 40 20",
        "~20 00 02 23 42 40 20, ~23 04 06 26 46 44 23",
        "~40 20 00 02 23 44 46 06 04 23 42 40",
        "~20 40 42 23 04 06 46 44 23 02 00 20",
    ),
    (
        "~40 10 01 03 23 42, 40 46",
        "~40 10 01 03 23 42, 41 26",
        "~40 10 01 03 23 42, ~40 43 45 26 06 05",
        "~41 30 10 01 03 23 42 40 44 36 16",
        "~42 23 03 00 20 40 43 46 26 06",
        "~40 10 01 03 33 42, ~40 44 36 16",
        "~40 10 02 12 41, ~40 43 26",
        "~41 20 00 12 41, ~41 33 26",
    ),
)


def make_digits(
    count: int, *, rng: np.random.Generator, report: Callable[[int, int], None] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return pictures of digits, uint8 (count, 28, 28), and their labels, int64 (count,).

    All digits are equally likely, and so are all variants of a digit. report: called with the
    number of pictures made so far, and with `count`.
    """
    script = Script([variant for variants in DIGIT_VARIANTS for variant in variants])
    first = np.cumsum([0, *map(len, DIGIT_VARIANTS)])
    labels = rng.integers(0, len(DIGIT_VARIANTS), count)
    which = first[labels] + (rng.random(count) * np.diff(first)[labels]).astype(np.int64)
    pictures = np.empty((count, SIDE, SIDE), np.uint8)
    for start in range(0, count, GROUP):
        group = slice(start, start + GROUP)
        pictures[group] = prepare_ink(draw(script.write(which[group], rng), rng))
        if report:
            report(min(start + GROUP, count), count)
    return pictures, labels
