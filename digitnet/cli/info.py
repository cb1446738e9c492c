"""`digitnet info`: show what a model is, what it has learned from, and who made it."""

from typing import Any

import click

from digitnet.cli.options import format_option, model_option
from digitnet.cli.output import display_path, print_json, print_result, printable
from digitnet.errors import join_names

EPILOG = """
\b
Examples
  digitnet info
  digitnet info -m shipped
  digitnet info -m new.npz --format json | jq -r .model_sha256
"""


@click.command(epilog=EPILOG)
@model_option
@format_option("one object.")
def info(model: str | None, output_format: str) -> None:
    """Show what a model is.

    Prints its layers, classes, data, when and by which version it was trained, its best accuracy on
    validation, its thresholds, and the sha256 of its file. What an older file does not tell is left
    out (null in JSON).
    """
    from digitnet.config.threads import environment_threads, load_numpy

    load_numpy(environment_threads() or 1)
    from digitnet.model.checkpoint import load_checkpoint
    from digitnet.model.description import describe
    from digitnet.model.locations import find_model

    path = find_model(model)
    description = describe(load_checkpoint(path, with_state=True, hashed=True))
    if output_format == "json":
        print_json({"model": path, **description})
    else:
        print_result("\n".join([display_path(path), *_lines(description)]))


def _lines(description: dict[str, Any]) -> list[str]:
    """Return aligned lines of a label and a text; labels without a text are left out."""
    texts = _texts(description)
    width = max(map(len, texts))
    return [f"{label:<{width}}  {text}" for label, text in texts.items() if text is not None]


def _texts(about: dict[str, Any]) -> dict[str, str | None]:
    """Return the text of each label, None if the model's file does not tell."""
    data, start, validation = about["data"], about["start"], about["validation"]
    classes = [printable(str(name)) for name in about["classes"]]
    return {
        "sha256": about["model_sha256"],
        "layers": "-".join(map(str, about["layer_sizes"])),
        "activation": about["activation"],
        "output": about["output"],
        "cost": about["cost"],
        "parameters": f"{about['parameters']:,}",
        "classes": join_names(classes),
        "data": display_path(tuple(data["paths"])),
        "data hash": printable(data["hash"]),
        "created": about["created"],
        "version": about["version"] and printable(about["version"]),
        "start": start and f"{display_path(start['path'])}, sha256 {printable(start['sha256'])}",
        "epochs": f"{about['epochs']:,}",
        "seconds": None if about["seconds"] is None else f"{about['seconds']:,.1f}",
        "validation": validation and _validation(validation),
        "temperature": f"{about['temperature']:.3f}",
        "min_confidence": f"{about['min_confidence']:.4f}",
        "min_evidence": f"{about['min_evidence']:.2f}",
        "state": "kept: --resume continues it" if about["can_resume"] else "none: only the model",
    }


def _validation(best: dict[str, Any]) -> str:
    cost = "" if best["cost"] is None else f", cost {best['cost']:.4f}"
    return f"accuracy {best['accuracy']:.2%}{cost} (epoch {best['epoch']:,})"
