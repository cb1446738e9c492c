"""List wrong answers: as lines of text and as JSON."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from digitnet.cli.output import print_result, printable

if TYPE_CHECKING:
    from digitnet.model.evaluation import Evaluation


class Mistake(NamedTuple):
    """A wrong answer. doubt: why `predict` answers `?` instead; None if it does not."""

    picture: str
    digit: int | str
    answer: int | str
    confidence: float
    doubt: str | None


def print_mistakes(result: "Evaluation", class_names: tuple[str, ...]) -> None:
    """Write a line per wrong answer to stdout, the most confident first."""
    for picture, digit, answer, confidence, _ in _mistakes(result, class_names):
        fields = picture, str(digit), str(answer), f"{confidence:.4f}"
        print_result("\t".join(map(printable, fields)), flush=False)
    sys.stdout.flush()


def mistakes_as_json(result: "Evaluation", class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return an object per wrong answer, the most confident first."""
    return [mistake._asdict() for mistake in _mistakes(result, class_names)]


def _mistakes(result: "Evaluation", class_names: tuple[str, ...]) -> Iterator[Mistake]:
    from digitnet.dataset.classes import as_answer

    for position in result.mistakes.tolist():
        yield Mistake(
            result.name_of(position),
            as_answer(class_names[result.labels[position]]),
            as_answer(class_names[result.answers[position]]),
            float(result.confidences[position]),
            result.doubts.get(position),
        )
