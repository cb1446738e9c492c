"""Two networks on the same pictures: which is better, by how much, and whether that is chance."""

import math
from dataclasses import dataclass

from digitnet.errors import CheckpointError, join_names
from digitnet.model.checkpoint import Checkpoint, load_checkpoint
from digitnet.model.evaluation import Z_95, Evaluation


@dataclass(frozen=True)
class Comparison:
    """How the answers of a model and of a baseline agree, picture by picture.

    images: so many both have read. baseline_accuracy: 0 to 1. only_model_right,
    only_baseline_right: pictures that one alone has right; the others tell nothing.
    """

    images: int
    baseline_accuracy: float
    only_model_right: int
    only_baseline_right: int

    @property
    def difference(self) -> float:
        """The model's accuracy less the baseline's, -1 to 1."""
        return (self.only_model_right - self.only_baseline_right) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference.

        Wald's, with one picture more that only the one has right and one that only the other has:
        Bonett and Price 2012, Adjusted Wald Confidence Interval for a Difference of Binomial
        Proportions Based on Paired Data; recommended by Fagerland, Lydersen and Laake 2014.
        """
        n = self.images + 2
        p, q = (self.only_model_right + 1) / n, (self.only_baseline_right + 1) / n
        margin = Z_95 * math.sqrt((p + q - (p - q) ** 2) / n)
        return max(p - q - margin, -1.0), min(p - q + margin, 1.0)

    @property
    def is_significant(self) -> bool:
        """Whether chance alone would make such a difference in less than one case of twenty.

        It is the test that says so; close to the limit the interval may say otherwise.
        """
        return self.p_value < 0.05

    @property
    def is_worse(self) -> bool:
        """Whether the baseline is better, and that is not chance."""
        return self.difference < 0 and self.is_significant

    @property
    def p_value(self) -> float:
        """How often equally good networks would differ so much or more; see `mcnemar`."""
        return mcnemar(self.only_model_right, self.only_baseline_right)


def load_baseline(path: str, checkpoint: Checkpoint) -> Checkpoint:
    """The model at `path`, to be compared with another one.

    Raises CheckpointError for a file that is no sound model, or one that tells other classes.
    """
    baseline = load_checkpoint(path)
    if baseline.class_names != checkpoint.class_names:
        expected, found = join_names(checkpoint.class_names), join_names(baseline.class_names)
        raise CheckpointError(f"{path}: expected the model's classes, {expected}; found {found}")
    return baseline


def compare(model: Evaluation, baseline: Evaluation) -> Comparison:
    """The comparison of two evaluations on the same pictures in the same order."""
    return Comparison(
        model.images,
        baseline.accuracy,
        int((model.right & ~baseline.right).sum()),
        int((baseline.right & ~model.right).sum()),
    )


def mcnemar(b: int, c: int) -> float:
    """McNemar's test (1947) in its exact form, two-sided: its p-value.

    b and c: pictures that only the one or only the other has right. Were both equally good, each of
    these n = b + c would be as likely to be the one's as the other's: p = 2 Σ C(n, i) / 2ⁿ for i
    from 0 to the smaller number, and at most 1. The sum is taken from its largest term downward, in
    multiples of it, for as long as it grows.
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
