"""Compute what the page and the terminal show of an evaluation."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.model.calibration import Coverage
from digitnet.model.evaluation import Evaluation
from digitnet.model.examples import Examples

MAX_MATRIX = 50  # classes: with more, there is no confusion matrix whose cells open pictures
WORST = 24  # wrong answers, the most confident ones: shown under "Where it fails"
SHOWN_KINDS, SHOWN_OF_KIND = 8, 6  # kinds of mistakes shown there, and pictures of each
OPENED_OF_KIND = 12  # pictures that a cell of the confusion matrix opens
MAX_MISTAKES = 2000  # pictures of mistakes on the page
MIN_SHARE_ANSWERED = 0.95  # of the answers: the coverage that the text names is the nearest one
SAMPLES_PER_CLASS, MAX_SAMPLES = 12, 240  # right and wrong pictures to step through
FIRST_SAMPLE = "4"  # class of the picture that the page opens with, if the model has it


class Kind(NamedTuple):
    """A kind of mistake: pictures of class `label` answered as class `answer`.

    images: their number. positions: of the shown ones in the evaluation, most confident first.
    """

    label: int
    answer: int
    images: int
    positions: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Figures:
    """An evaluation, and the pictures of it that are shown."""

    examples: Examples
    evaluation: Evaluation

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.examples.dataset.class_names

    def images(self, positions: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return pictures of the evaluation, uint8 (n, 28, 28)."""
        assert self.evaluation.indices is not None
        images: NDArray[np.uint8] = self.examples.dataset.images[self.evaluation.indices[positions]]
        return images

    @cached_property
    def kinds(self) -> list[Kind]:
        """All kinds of mistakes, the most frequent first."""
        result = self.evaluation
        positions: dict[tuple[int, int], list[int]] = {}
        for position in result.mistakes.tolist():
            pair = int(result.labels[position]), int(result.answers[position])
            positions.setdefault(pair, []).append(position)
        kinds = [
            Kind(*pair, len(found), tuple(found[:OPENED_OF_KIND]))
            for pair, found in positions.items()
        ]
        return sorted(kinds, key=lambda kind: -kind.images)

    @cached_property
    def shown_mistakes(self) -> NDArray[np.int64]:
        """Positions of the wrong answers whose pictures are on the page, most confident first."""
        mistakes: list[int] = self.evaluation.mistakes.tolist()
        shown = set(mistakes[:WORST])
        for kind in self.kinds[:SHOWN_KINDS]:
            shown.update(kind.positions[:SHOWN_OF_KIND])
        if self.evaluation.classes <= MAX_MATRIX:
            opened = (position for kind in self.kinds for position in kind.positions)
            shown.update(islice(opened, MAX_MISTAKES))
        return np.array([position for position in mistakes if position in shown], np.int64)

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The place of each position in `shown_mistakes`."""
        return {position: k for k, position in enumerate(self.shown_mistakes.tolist())}

    @property
    def usual_coverage(self) -> Coverage:
        """The row of `coverages` that is nearest to MIN_SHARE_ANSWERED."""
        rows = self.evaluation.coverages
        return min(rows, key=lambda row: abs(row.coverage - MIN_SHARE_ANSWERED))

    @cached_property
    def samples(self) -> NDArray[np.int64]:
        """Positions of pictures to step through: of each class alike, in random order.

        The order is always the same. The first picture is, if possible, of FIRST_SAMPLE: the right
        answer of the highest confidence.
        """
        result, rng = self.evaluation, np.random.default_rng(1)
        each = max(min(SAMPLES_PER_CLASS, MAX_SAMPLES // result.classes), 1)
        counts: Counter[int] = Counter()
        chosen: list[int] = []
        for position in rng.permutation(result.images).tolist():
            label = int(result.labels[position])
            if counts[label] < each and len(chosen) < MAX_SAMPLES:
                counts[label] += 1
                chosen.append(position)
        first = self._first_sample()
        return np.array([first, *(p for p in chosen if p != first)], np.int64)

    def _first_sample(self) -> int:
        result, names = self.evaluation, self.class_names
        label = names.index(FIRST_SAMPLE) if FIRST_SAMPLE in names else int(result.labels[0])
        candidates = np.flatnonzero((result.labels == label) & result.right)
        if not len(candidates):
            return 0
        return int(candidates[result.confidences[candidates].argmax()])
