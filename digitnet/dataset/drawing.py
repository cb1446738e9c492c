"""Draw pictures of any square size to 28×28 pixels."""

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import SIDE
from digitnet.dataset.definition import ReadOptions, Report
from digitnet.errors import ImageError
from digitnet.fleet.work import divide_work

PICTURES_AT_ONCE = 1000  # pictures whose copies are in memory at the same time
MARGIN = 4  # a picture gets background around it, 1/MARGIN of its side: many digits touch the edge


def draw(images: NDArray[np.uint8], options: ReadOptions) -> NDArray[np.uint8]:
    """Return images (n, side, side), ink 255 on 0, as (n, 28, 28), prepared as by `predict`.

    A picture without ink becomes zeros. Each rank of `options.fleet` draws a part.
    """
    drawn = np.zeros((len(images), SIDE, SIDE), np.uint8)

    def draw_part(rows: slice, report: Report | None) -> NDArray[np.uint8]:
        _draw(images[rows], drawn[rows], options, report)
        return drawn[rows]

    subject = f"{len(images):,} pictures to draw"
    for rows, part in divide_work(
        options.fleet, len(images), draw_part, subject=subject, report=options.report
    ):
        drawn[rows] = part
    return drawn


def _draw(
    images: NDArray[np.uint8],
    drawn: NDArray[np.uint8],
    options: ReadOptions,
    report: Report | None,
) -> None:
    """Draw images (n, side, side) into `drawn` (n, 28, 28), which is zeros."""
    from digitnet.image.reading import reading_steps  # imports Pillow; few arrays need it
    from digitnet.image.workers import Workers, worker_count

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
                if report:
                    report(done, len(images))
    finally:
        workers.close()
