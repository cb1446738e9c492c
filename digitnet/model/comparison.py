"""Compare two models on the same pictures: the difference in accuracy and its significance."""

import math
from dataclasses import dataclass

from digitnet.errors import CheckpointError, join_names
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.evaluation import Z_95, Evaluation


@dataclass(frozen=True)
class Comparison:
    """The answers of a model and a baseline, compared picture by picture.

    images: number of pictures. baseline_accuracy: 0 to 1. only_model_right, only_baseline_right:
    number of pictures that only the model, or only the baseline, answers correctly.
    """

    images: int
    baseline_accuracy: float
    only_model_right: int
    only_baseline_right: int

    @property
    def difference(self) -> float:
        """The model's accuracy minus the baseline's, -1 to 1."""
        return (self.only_model_right - self.only_baseline_right) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % confidence interval of the difference.

        It is Wald's interval after adding one picture to each of the two discordant counts: Bonett
        and Price 2012, Adjusted Wald Confidence Interval for a Difference of Binomial Proportions
        Based on Paired Data; recommended by Fagerland, Lydersen and Laake 2014.
        """
        n = self.images + 2
        p, q = (self.only_model_right + 1) / n, (self.only_baseline_right + 1) / n
        margin = Z_95 * math.sqrt((p + q - (p - q) ** 2) / n)
        return max(p - q - margin, -1.0), min(p - q + margin, 1.0)

    @property
    def is_significant(self) -> bool:
        """True if the p-value is below 0.05.

        Close to 0.05 the test and the interval may disagree; the test decides.
        """
        return self.p_value < 0.05

    @property
    def is_worse(self) -> bool:
        """True if the model is significantly less accurate than the baseline."""
        return self.difference < 0 and self.is_significant

    @property
    def p_value(self) -> float:
        """The probability that equally good models differ at least this much; see `mcnemar`."""
        return mcnemar(self.only_model_right, self.only_baseline_right)


def load_baseline(path: str, checkpoint: Checkpoint, *, hashed: bool = False) -> Checkpoint:
    """Return the model at `path`, to be compared with the model of a checkpoint.

    hashed: as for `load_checkpoint`. Raises CheckpointError for an invalid model file, or if the
    classes of the two models differ.
    """
    baseline = load_checkpoint(path, hashed=hashed)
    if baseline.class_names != checkpoint.class_names:
        expected, found = join_names(checkpoint.class_names), join_names(baseline.class_names)
        raise CheckpointError(f"{path}: expected the model's classes, {expected}; found {found}")
    return baseline


def compare(model: Evaluation, baseline: Evaluation) -> Comparison:
    """Return the comparison of two evaluations on the same pictures in the same order."""
    return Comparison(
        model.images,
        baseline.accuracy,
        int((model.right & ~baseline.right).sum()),
        int((baseline.right & ~model.right).sum()),
    )


def mcnemar(b: int, c: int) -> float:
    """Return the two-sided p-value of McNemar's exact test (1947).

    b, c: numbers of pictures that only the first, or only the second, model answers correctly. If
    the models are equally good, each of these n = b + c pictures falls to either model with
    probability 1/2. So p = 2 Σ C(n, i) / 2ⁿ, i from 0 to min(b, c), and at most 1. The sum starts
    at its largest term, in multiples of that term, and stops when a term no longer changes it.
    """
    n, k = b + c, min(b, c)
    largest = math.comb(n, k) / (1 << n)
    total = term = 1.0
    for i in range(k, 0, -1):
        term *= i / (n - i + 1)
        if total + term == total:
            break
        total += term
    return min(2 * total * largest, 1.0)
