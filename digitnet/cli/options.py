"""Options that several verbs share, and their types."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from digitnet.dataset.classes import MAX_DIGITS

Command = TypeVar("Command", bound=Callable[..., Any])


class _Fraction(click.FloatRange):
    """A number from 0 to 1, not NaN."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number from 0 to 1.", param, ctx)
        return number


FRACTION = _Fraction(0, 1)

model_option = click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help="Model to use: a file, or shipped for the model that ships with digitnet. Default: "
    "$DIGITNET_MODEL, else ./model.npz, else shipped.",
)


def format_option(json: str) -> Callable[[Command], Command]:
    """Return the `--format` option. json: what `--format json` prints."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        help=f"Output format. json: {json} Default: text.",
    )


def read_digits(_: click.Context, parameter: click.Parameter, value: str) -> int | None:
    """Return the number of digits to read, None for `any`. Raises BadParameter for other text."""
    if value == "any":
        return None
    if not re.fullmatch("[1-9][0-9]{0,3}", value) or int(value) > MAX_DIGITS:
        problem = f"expected a number from 1 to {MAX_DIGITS} or any, found {value!r:.40}"
        raise click.BadParameter(problem, param=parameter)
    return int(value)
