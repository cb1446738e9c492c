"""Print a report in characters: training, accuracy, mistakes and the model."""

import shutil
from typing import TYPE_CHECKING

from digitnet.cli.evaluation import as_text
from digitnet.cli.output import printable
from digitnet.cli.show import gallery

if TYPE_CHECKING:
    from digitnet.report.figures import Figures
    from digitnet.report.subject import Subject

SHOWN_KINDS = 10  # kinds of mistakes
SHOWN_PICTURES = 6  # wrong answers that are drawn


def report_lines(subject: "Subject") -> list[str]:
    """Return the lines of a report."""
    from digitnet.report import facts
    from digitnet.report.text import epoch_lines, landscape_lines

    checkpoint, figures = subject.checkpoint, subject.figures
    lines = [
        *_title("Going downhill"),
        *epoch_lines(checkpoint.history),
        "",
        *landscape_lines(checkpoint.landscape),
    ]
    if figures:
        lines += [*_title("How good it is")]
        lines += as_text(subject.path, figures.examples, figures.evaluation, None, None).split("\n")
        lines += [*_title("Where it fails"), *_mistakes(figures)]
    about = facts.facts(checkpoint)
    width = max(map(len, about))
    lines += _title("The model")
    lines += [f"{label:<{width}}  {printable(value)}" for label, value in about.items()]
    return lines[1:]


def _title(text: str) -> list[str]:
    return ["", text, "=" * len(text)]


def _mistakes(figures: "Figures") -> list[str]:
    """Return the most frequent kinds of mistakes, and drawings of the surest wrong answers."""
    from digitnet.report.text import kind_lines

    if not figures.kinds:
        return ["no mistake on these pictures"]
    names, result = figures.class_names, figures.evaluation
    shown = figures.shown_mistakes[:SHOWN_PICTURES]
    captions = [
        printable(
            f"{names[result.labels[each]]} read as {names[result.answers[each]]}, "
            f"{result.confidences[each]:.2%}"
        )
        for each in shown.tolist()
    ]
    lines = ["times  mistake, and the surest picture of it"]
    lines += map(printable, kind_lines(figures, figures.kinds[:SHOWN_KINDS]))
    lines += ["", "the surest wrong answers:"]
    width = shutil.get_terminal_size().columns
    drawn = gallery(list(figures.images(shown)), captions, width)
    return [*lines, *(line.rstrip() for line in drawn)]
