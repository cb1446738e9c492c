"""Write the page: one HTML file that needs no other file and no network access."""

import time
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from digitnet.export.scripts import as_json
from digitnet.model.landscape import Landscape
from digitnet.paths import own_suffix, replace_file
from digitnet.report import facts
from digitnet.report.content import content, is_rounded
from digitnet.report.curves import curves
from digitnet.report.diagrams import coverage_diagram, reliability_diagram
from digitnet.report.figures import (
    MAX_MATRIX,
    SHOWN_KINDS,
    SHOWN_OF_KIND,
    WORST,
    Figures,
    Kind,
)
from digitnet.report.scripts import PAGE, content_hash, joined_script
from digitnet.report.sprites import Sheet, sprite_sheet
from digitnet.report.strip import training_strip
from digitnet.report.subject import Subject
from digitnet.version import __version__

MAX_CIRCLES = 32  # neurons: larger layers are drawn as grids, see arrangement.js
NO_SHEET = Sheet("", 0)


def write_page(output: str, subject: Subject) -> int:
    """Write a report to a file atomically; return its size in bytes.

    Raises OutputError if writing fails.
    """
    page = render(subject).encode(errors="backslashreplace")  # names may hold lone surrogates
    with replace_file(output, own_suffix()) as file:
        file.write(page)
    return len(page)


def render(subject: Subject) -> str:
    """Return the HTML of a report."""
    checkpoint, figures = subject.checkpoint, subject.figures
    samples = mistakes = NO_SHEET
    if figures:
        samples = sprite_sheet(figures.images(figures.samples))
        mistakes = sprite_sheet(figures.images(figures.shown_mistakes))
    script = joined_script()
    strip = training_strip(checkpoint, subject.training)
    layers = checkpoint.network.layer_sizes
    environment = Environment(loader=FileSystemLoader(PAGE), autoescape=True)
    return environment.get_template("page.html").render(
        version=__version__,
        date=time.strftime("%-d %B %Y"),
        model_name=facts.model_name(subject.path),
        architecture=facts.architecture(checkpoint),
        parameters=f"{len(checkpoint.network.parameters):,}",
        is_rounded=is_rounded(checkpoint.network),
        names=checkpoint.class_names,
        thing="digit" if all(map(str.isdigit, checkpoint.class_names)) else "character",
        first_layer=layers[1],
        has_grid=max(layers[1:-1], default=0) > MAX_CIRCLES,
        has_negative=checkpoint.network.names[0] == "tanh",
        curves=[(curve.title, Markup(curve.svg)) for curve in curves(checkpoint.history)],
        landscape=_landscape(checkpoint.landscape),
        snapshots=checkpoint.landscape is not None and len(checkpoint.landscape.snapshots) > 0,
        evaluation=None if figures is None else _evaluation(figures, mistakes),
        strip=strip,
        facts=facts.facts(checkpoint),
        commands=facts.commands(subject.path),
        config=facts.config_text(checkpoint),
        command=facts.report_command(subject.path),
        style=Markup(_style(mistakes)),
        script=Markup(script),
        script_hash=content_hash(script),
        data=Markup(as_json(content(checkpoint, figures, samples))),
    )


def _style(mistakes: Sheet) -> str:
    """Return the style sheet; `--mistakes` is the picture of all shown mistakes."""
    style = (PAGE / "style.css").read_text(encoding="utf-8")
    return f"{style}\n:root {{ --mistakes: url({mistakes.url}) }}\n"


def _landscape(landscape: Landscape | None) -> dict[str, str] | None:
    """Return the figures of a landscape as texts."""
    if landscape is None:
        return None
    return {
        "share": _percent(landscape.share, 0),
        "pictures": f"{landscape.pictures:,}",
        "first": f"{landscape.costs[0]:.3g}",
        "last": f"{landscape.costs[-1]:.3g}",
    }


def _evaluation(figures: Figures, mistakes: Sheet) -> dict[str, Any]:
    """Return the figures of an evaluation as texts, and its pictures."""
    result, names, examples = figures.evaluation, figures.class_names, figures.examples
    low, high = result.interval
    row = figures.usual_coverage
    return {
        "accuracy": _percent(result.accuracy),
        "low": _percent(low),
        "high": _percent(high),
        "images": f"{result.images:,}",
        "right": f"{int(result.right.sum()):,}",
        "wrong": f"{int((~result.right).sum()):,}" if not result.right.all() else "",
        "doubtful": f"{len(result.doubts):,}" if result.doubts else "",
        "sure": result.sure_accuracy is not None and _percent(result.sure_accuracy),
        "split": examples.split or "",
        "data": facts.data_names(examples.path),
        "calibration": _percent(result.calibration_error),
        "coverage": {
            "share": _percent(row.coverage, 0),
            "threshold": f"{row.min_confidence:.4f}",
            "accuracy": _percent(row.accuracy),
        },
        "matrix": _matrix(figures) if len(names) <= MAX_MATRIX else None,
        "reliability": Markup(reliability_diagram(result)),
        "coverage_chart": Markup(coverage_diagram(result)),
        "sources": [
            {
                "name": facts.data_names(source.source),
                "images": f"{source.images:,}",
                "accuracy": _percent(source.accuracy),
            }
            for source in (result.sources if len(result.sources) > 1 else ())
        ],
        "kinds": [_kind(kind, figures, mistakes) for kind in figures.kinds[:SHOWN_KINDS]],
        "digits": [
            {
                "name": name,
                "images": f"{int(counts.sum()):,}",
                "recall": _share(recall),
                "precision": _share(precision),
            }
            for name, counts, recall, precision in zip(
                names, result.confusion, result.recall, result.precision
            )
        ],
        "worst": [
            _picture(k, figures, mistakes) for k in range(min(WORST, len(figures.shown_mistakes)))
        ],
    }


def _kind(kind: Kind, figures: Figures, mistakes: Sheet) -> dict[str, Any]:
    """Return a kind of mistake and its most confident pictures."""
    shown = [figures.numbers[position] for position in kind.positions[:SHOWN_OF_KIND]]
    return {
        "label": figures.class_names[kind.label],
        "answer": figures.class_names[kind.answer],
        "count": f"{kind.images:,}",
        "pictures": [_picture(k, figures, mistakes) for k in shown],
    }


def _picture(k: int, figures: Figures, mistakes: Sheet) -> dict[str, Any]:
    """Return the wrong answer `k` of the sheet, and where its picture is on the sheet."""
    result, names = figures.evaluation, figures.class_names
    position = int(figures.shown_mistakes[k])
    return {
        "k": k,
        "label": names[result.labels[position]],
        "answer": names[result.answers[position]],
        "confidence": _confidence(float(result.confidences[position])),
        "position": mistakes.position(k),
        "size": f"{100 * mistakes.columns}% {100 * mistakes.rows}%",
    }


def _matrix(figures: Figures) -> list[list[dict[str, Any]]]:
    """Return the cells of the confusion matrix; strength: 0 to 1, how dark a mistake's cell is."""
    counts = figures.evaluation.confusion
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    most = max(int(wrong.max()), 1)
    return [
        [
            {
                "n": int(n),
                "is_right": i == j,
                "strength": round(0.06 + 0.62 * (int(n) / most) ** 0.8, 3),
            }
            for j, n in enumerate(row)
        ]
        for i, row in enumerate(counts.tolist())
    ]


def _confidence(confidence: float) -> str:
    """Return a confidence as a percentage that is never 100 %."""
    return ">99.9 %" if confidence > 0.9995 else _percent(confidence, 1)


def _share(share: float | None) -> str:
    return "–" if share is None else _percent(share, 1)


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f} %"
