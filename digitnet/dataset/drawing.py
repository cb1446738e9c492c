"""Draw pictures of any square size to 28×28 pixels."""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.definition import ReadOptions
from digitnet.errors import ImageError

PICTURES_AT_ONCE = 1000  # pictures whose copies are in memory at the same time
MARGIN = 4  # a picture gets background around it, 1/MARGIN of its side: many digits touch the edge


def draw(images: NDArray[np.uint8], options: ReadOptions) -> NDArray[np.uint8]:
    """Return images (n, side, side), ink 255 on 0, as (n, 28, 28), prepared as by `predict`.

    A picture without ink becomes zeros.
    """
    from digitnet.image.reading import reading_steps  # imports Pillow; few arrays need it
    from digitnet.image.workers import Workers, worker_count

    drawn = np.zeros((len(images), SIDE, SIDE), np.uint8)
    margin = images.shape[1] // MARGIN
    margins = ((0, 0), (margin, margin), (margin, margin))
    processes = worker_count() if options.parallel else 1
    workers, done = Workers(processes, reading_steps()), 0
    try:
        for start in range(0, len(images), PICTURES_AT_ONCE):
            padded = np.pad(images[start : start + PICTURES_AT_ONCE], margins)
            for portion in workers.prepare([("picture", image) for image in padded]):
                for _, reading in portion:
                    if not isinstance(reading, ImageError):
                        drawn[done] = reading.image
                    done += 1
                if options.report:
                    options.report(done, len(images))
    finally:
        workers.close()
    return drawn
