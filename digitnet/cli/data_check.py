"""Print what `digitnet train --dry-run` found in the data, as YAML comments or for JSON."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from digitnet.cli.output import display_path, printable
from digitnet.cli.progress import terminal_width
from digitnet.dataset.classes import as_answer
from digitnet.errors import join_names

if TYPE_CHECKING:
    from digitnet.dataset.definition import Unreadable
    from digitnet.model.inspection import Inspection, Pair, Picture, Split, Suspect
    from digitnet.training.state import TrainingState

Finding = TypeVar("Finding")

MAX_LINES = 20  # findings of a kind that are listed
MAX_PER_CLASS = 3  # pictures of a class that are drawn
MAX_CLASSES_DRAWN = 40  # classes with drawn pictures
DEFAULT_WIDTH = 80  # columns, where stdout is no terminal
NO_DIGIT = "no digit"  # stands for the label of a non-digit
TRAIN, VALIDATION, TEST, LEFT_OUT = "train", "validation", "test", "left out"
UNENCODABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")  # not allowed in YAML, not even in comments


def inspect_data(state: "TrainingState") -> "Inspection":
    """Return what is found in a training's own pictures, without those added for rehearsal."""
    from digitnet.model.inspection import inspect, load_judge
    from digitnet.model.orientation import transposition

    is_turned = transposition(state.data.training) is not None
    return inspect(splits_of(state), load_judge(), is_turned=is_turned)


def splits_of(state: "TrainingState") -> "list[Split]":
    """Return the splits of a training's data that have pictures; `train` always.

    `left out` are the training pictures that are in validation as well.
    """
    import numpy as np

    from digitnet.model.inspection import Split

    names, source = state.examples.class_names, display_path(state.config.data.path)
    training, validation, test = (
        dataset and dataset.renumbered(names, source)
        for dataset in (state.data.training, state.data.validation, state.data.test)
    )
    assert training is not None
    n = len(training)
    learned = np.unique(state.train_indices[state.train_indices < n])
    is_own = validation is not None
    held_out = state.validation_indices[:0] if is_own else state.validation_indices
    left_out = np.setdiff1d(np.arange(n), np.append(learned, held_out))
    splits = [Split(TRAIN, training, learned), Split(VALIDATION, training, held_out)]
    splits += [
        Split(name, dataset, np.arange(len(dataset)))
        for name, dataset in ((VALIDATION, validation), (TEST, test))
        if dataset is not None
    ]
    splits.append(Split(LEFT_OUT, training, left_out))
    return [split for split in splits if split.name == TRAIN or len(split.indices)]


def comment_lines(found: "Inspection", *, balanced: bool) -> Iterator[str]:
    """Yield an inspection as lines of YAML comments. balanced: whether `data.balance` is true."""
    yield "#"
    yield from map(_comment, _count_table(found))
    yield "#"
    why = found.unchecked
    yield from _listed("unreadable", found.unreadable, _describe_unreadable)
    yield from _listed("several digits", found.several, _describe)
    yield from _listed("the same picture", found.same, _describe_pair)
    yield from _listed(
        "perhaps the same", found.perhaps_same, _describe_similar, why.get("perhaps_same")
    )
    yield from _listed(
        "perhaps wrong", found.perhaps_wrong, _describe_suspect, why.get("perhaps_wrong")
    )
    if empty := found.empty_classes(TRAIN):
        yield _comment(f"no pictures to learn from: {join_names(empty)}")
    if rare := found.rare_classes(TRAIN):
        advice = "" if balanced else "; set data.balance to true"
        numbers = join_names([f"{name} ({n:,})" for name, n in rare.items()])
        most = int(found.counts[TRAIN][:-1].max())
        yield _comment(f"few pictures: {numbers}; the most frequent class has {most:,}{advice}")


def as_json(found: "Inspection") -> dict[str, Any]:
    """Return an inspection as plain values; None for a check that was left out."""
    columns = {name.replace(" ", "_"): counts.tolist() for name, counts in found.counts.items()}
    answers = [*map(as_answer, found.class_names), None]
    return {
        "classes": [
            {"digit": answer} | {name: counts[i] for name, counts in columns.items()}
            for i, answer in enumerate(answers)
            if answer is not None or any(counts[i] for counts in columns.values())
        ],
        "unreadable": [{"picture": p, "error": problem} for p, problem in found.unreadable],
        "several_digits": _values(found.several, _picture),
        "same": _values(found.same, _pair),
        "perhaps_same": _values(found.perhaps_same, _similar_pair),
        "perhaps_wrong": _values(found.perhaps_wrong, _suspect),
        "empty": [as_answer(name) for name in found.empty_classes(TRAIN)],
        "rare": [as_answer(name) for name in found.rare_classes(TRAIN)],
    }


def drawn_lines(state: "TrainingState") -> Iterator[str]:
    """Yield drawings of up to MAX_PER_CLASS training pictures a class, as YAML comments.

    The pictures are spread evenly over the class. They fill the terminal's width.
    """
    import numpy as np

    from digitnet.cli.show import gallery

    train, *_ = splits_of(state)
    dataset, labels = train.dataset, train.dataset.labels[train.indices]
    images, captions = [], []
    for label in np.unique(labels)[:MAX_CLASSES_DRAWN].tolist():
        own = train.indices[labels == label]
        chosen = np.unique(np.linspace(0, len(own) - 1, MAX_PER_CLASS).round().astype(int))
        for index in own[chosen].tolist():
            class_name = NO_DIGIT if label < 0 else dataset.class_names[label]
            name = dataset.name_of(index).rpartition("/")[2]
            images.append(dataset.images[index])
            captions.append(_comment(f"{class_name}: {name}")[2:])
    width = (terminal_width(sys.stdout) or DEFAULT_WIDTH) - len("# ")
    yield "#"
    for line in gallery(images, captions, width):
        yield f"# {line}".rstrip()


def _comment(text: str) -> str:
    """Return text as one line of a YAML comment."""
    return "# " + UNENCODABLE.sub(lambda found: _escaped(found[0]), printable(text))


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _count_table(found: "Inspection") -> Iterator[str]:
    """Yield the pictures per class and split, and their sums, as a table."""
    rows = [*found.class_names, NO_DIGIT]
    columns = [counts.tolist() for counts in found.counts.values()]
    used = [i for i in range(len(rows)) if i < len(rows) - 1 or any(c[i] for c in columns)]
    numbers = [[f"{column[i]:,}" for column in columns] for i in used]
    table = [
        ["pictures", *found.counts],
        *([printable(rows[i]), *row] for i, row in zip(used, numbers)),
        ["all", *(f"{sum(column):,}" for column in columns)],
    ]
    widths = [max(map(len, column)) for column in zip(*table)]
    for name, *cells in table:
        yield "  ".join([name.ljust(widths[0]), *map(str.rjust, cells, widths[1:])])


def _listed(
    kind: str,
    findings: Sequence[Finding] | None,
    describe: Callable[[Finding], str],
    unchecked: str | None = None,
) -> Iterator[str]:
    """Yield a comment per finding, at most MAX_LINES, then a count; without findings, one."""
    if findings is None:
        yield _comment(f"{kind}: not checked: {unchecked}")
        return
    if not findings:
        yield _comment(f"{kind}: none")
    for finding in findings[:MAX_LINES]:
        yield _comment(f"{kind}: {describe(finding)}")
    if (others := len(findings) - MAX_LINES) > 0:
        yield _comment(f"{kind}: … and {others:,} more")


def _describe_unreadable(unreadable: "Unreadable") -> str:
    return f"{display_path(unreadable.picture)}: {unreadable.problem}"


def _describe(picture: "Picture") -> str:
    label = NO_DIGIT if picture.label is None else picture.label
    return f"{display_path(picture.name)} ({label}, {picture.split})"


def _describe_pair(pair: "Pair") -> str:
    return f"{_describe(pair.first)} and {_describe(pair.second)}"


def _describe_similar(pair: "Pair") -> str:
    return f"{_describe_pair(pair)}, similarity {pair.similarity:.3f}"


def _describe_suspect(suspect: "Suspect") -> str:
    picture, answer, confidence = suspect
    answered = f"the shipped model answers {answer} ({confidence:.4f})"
    return f"{display_path(picture.name)} is labelled {picture.label}, {answered}"


def _values(
    findings: Sequence[Finding] | None, value: Callable[[Finding], dict[str, Any]]
) -> list[dict[str, Any]] | None:
    return None if findings is None else [value(finding) for finding in findings]


def _picture(picture: "Picture") -> dict[str, Any]:
    digit = None if picture.label is None else as_answer(picture.label)
    return {"picture": picture.name, "split": picture.split.replace(" ", "_"), "digit": digit}


def _pair(pair: "Pair") -> dict[str, Any]:
    return {"pictures": [_picture(pair.first), _picture(pair.second)]}


def _similar_pair(pair: "Pair") -> dict[str, Any]:
    return _pair(pair) | {"similarity": pair.similarity}


def _suspect(suspect: "Suspect") -> dict[str, Any]:
    picture, answer, confidence = suspect
    return _picture(picture) | {"answer": as_answer(answer), "confidence": confidence}
