"""Options that more than one verb has, and what they take."""

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from digitnet.dataset.classes import MAX_DIGITS

Command = TypeVar("Command", bound=Callable[..., Any])


class _Share(click.FloatRange):
    """A number from 0 to 1."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number from 0 to 1.", param, ctx)
        return number


SHARE = _Share(0, 1)

model_option = click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help="Model; else $DIGITNET_MODEL, ./model.npz, the one that ships.",
)


def format_option(json: str) -> Callable[[Command], Command]:
    """`--format`, with what `json` means for the verb."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        help=f"json: {json}",
    )


def read_digits(_: click.Context, parameter: click.Parameter, value: str) -> int | None:
    """Return how many digits a number has, None for `any`; raise BadParameter for other text."""
    if value == "any":
        return None
    if not re.fullmatch("[1-9][0-9]{0,3}", value) or int(value) > MAX_DIGITS:
        problem = f"expected a number from 1 to {MAX_DIGITS} or any, found {value!r:.40}"
        raise click.BadParameter(problem, param=parameter)
    return int(value)
