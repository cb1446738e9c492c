"""Find the config key that a user meant by an unknown name, or by a pair without its colon."""

import difflib
import functools
import re
from collections.abc import Iterator
from typing import Any

from digitnet.config.definition import schema

SYNONYMS = {  # name in other programs and books, lower case, no separators -> key in digitnet
    **dict.fromkeys(("lr", "eta", "alpha", "rate", "stepsize"), "training.optimizer.learning_rate"),
    **dict.fromkeys(("batch", "batchsize"), "training.minibatch_size"),
    **dict.fromkeys(("iterations", "passes"), "training.epochs"),
    **dict.fromkeys(
        ("hidden", "hiddenlayers", "hiddensizes", "units", "neurons", "layers", "sizes"),
        "network.layer_sizes",
    ),
    **dict.fromkeys(("lambda", "lmbda", "weightdecay", "regularization", "reg"), "training.l2"),
    **dict.fromkeys(("loss", "objective", "criterion"), "cost"),
    **dict.fromkeys(("earlystopping", "earlystop"), "training.patience"),
    **dict.fromkeys(("workers", "cores", "njobs"), "training.threads"),
    **dict.fromkeys(("randomseed", "randomstate"), "seed"),
    **dict.fromkeys(("checkpoint", "save", "out"), "model"),
    **dict.fromkeys(("val", "valsplit", "holdout"), "data.validation"),
    **dict.fromkeys(("dataset", "dir", "folder", "file", "data.train", "data.test"), "data.path"),
}
REMOVED: dict[str, Any] = {  # key of earlier versions -> the value that turned it off
    "training.max_norm": None,
    "training.label_smoothing": 0,
    "training.average": 0,
}
PAIR_WITHOUT_COLON = re.compile(r"\s*(\w+)(?::(?=\S)|\s*=\s*|[^\S\n]+(?![:#]))(\S.*)")


@functools.cache
def known_keys() -> tuple[str, ...]:
    """Return the full path of each known key, sections before their keys."""
    return tuple(_keys_of(schema(), ""))


def section_of(part: dict[str, Any]) -> dict[str, Any]:
    """Return the section that a part of the JSON Schema refers to by `$ref`."""
    section: dict[str, Any] = schema()["$defs"][part["$ref"].rpartition("/")[2]]
    return section


def _keys_of(part: dict[str, Any], prefix: str) -> Iterator[str]:
    if "$ref" in part:
        for name, value in section_of(part)["properties"].items():
            yield prefix + name
            yield from _keys_of(value, f"{prefix}{name}.")


def nearest_key(section: str, unknown: str) -> str:
    """Return the known key closest to an unknown key, or else all keys of the section."""
    name = re.sub("[^a-z0-9]", "", unknown.lower())
    for synonym in (f"{section}.{name}", name):
        if synonym in SYNONYMS:
            return SYNONYMS[synonym]
    known = known_keys()
    siblings = [key for key in known if key.rpartition(".")[0] == section]
    for candidates in (siblings, known):
        names = [key.rpartition(".")[2] for key in candidates]
        match = difflib.get_close_matches(unknown, names, 1)
        if match:
            return candidates[names.index(match[0])]
    return "one of " + ", ".join(siblings)


def pair_without_colon(text: str) -> str | None:
    """Return the correct form of `epochs:5`, `epochs = 5` or `epochs 5`; None for other text.

    The first word must be the name of a key.
    """
    match = PAIR_WITHOUT_COLON.fullmatch(text)
    if not match or match[1] not in {key.rpartition(".")[2] for key in known_keys()}:
        return None
    return f"'{match[1]}: {match[2].rstrip():.60}', with a colon and a space"
