"""Decide when an answer is `?`, and say why."""

from typing import NamedTuple

from digitnet.model.calibration import Calibration

# images fed forward together, by `predict` and `evaluate` alike: the bits of a product depend on
# its width, and from 32 columns OpenBLAS's AVX2 kernels do not sum all columns in the same order.
FORWARD_BLOCK = 16


class Grounds(NamedTuple):
    """What decides whether the answer to a picture is `?`.

    confidence: the probability of the likeliest class, 0 to 1. evidence: nats; see
    `calibration.evidence`. digits, prior: those of the picture's `Reading`.
    """

    confidence: float
    evidence: float
    digits: int = 1
    prior: float = 0.0


def is_doubtful(grounds: Grounds, calibration: Calibration) -> bool:
    """Return True if a threshold is not reached, or if not exactly one digit was found.

    If evidence has a threshold, the prior is subtracted from evidence first. Without thresholds,
    the result is False for every picture.
    """
    _, min_confidence, min_evidence = calibration
    if not (min_confidence or min_evidence):
        return False
    evidence_left = grounds.evidence - (grounds.prior if min_evidence else 0)
    is_sure = grounds.confidence >= min_confidence and evidence_left >= min_evidence
    return not (is_sure and grounds.digits == 1)


def why_doubtful(grounds: Grounds, calibration: Calibration) -> str | None:
    """Return why the answer is `?`; None if it is not."""
    if not is_doubtful(grounds, calibration):
        return None
    if problem := picture_problem(grounds, calibration):
        return problem
    _, min_confidence, min_evidence = calibration
    if grounds.confidence < min_confidence:
        found = f"found {grounds.confidence:.4f}"
        return f"expected a confidence of {min_confidence:.4f} or more, {found}"
    return f"expected evidence of {min_evidence:.2f} or more, found {grounds.evidence:.2f}"


def picture_problem(grounds: Grounds, calibration: Calibration) -> str | None:
    """Return why the answer is `?`, if the user can change the picture or the command.

    None if the answer is not `?`, or if the network's own confidence or evidence is too low.
    """
    if not is_doubtful(grounds, calibration):
        return None
    if grounds.digits > 1:
        found = f"found {grounds.digits} possible digits"
        return f"expected one digit, {found}; to read numbers, use --digits any"
    _, min_confidence, min_evidence = calibration
    if grounds.confidence < min_confidence or grounds.evidence < min_evidence:
        return None
    from digitnet.image.look import PHOTO_ADVICE  # imports Pillow

    return f"expected one digit, found a line, or a part of something larger; {PHOTO_ADVICE}"
