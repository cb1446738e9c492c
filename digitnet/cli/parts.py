"""Divide pictures among jobs: parts of equal size, in order, each answered by itself."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from digitnet.cli.sources import Batch, Source

SLURM = "SLURM_ARRAY_TASK_"  # prefix of the variables that Slurm sets in the jobs of an array


class Part(NamedTuple):
    """The k-th of n parts, counted from 1."""

    k: int
    n: int

    def share(self, total: int) -> tuple[int, int]:
        """Return the first of this part's items, and the first after it, of `total` items."""
        return total * (self.k - 1) // self.n, total * self.k // self.n


def read_part(_: click.Context, parameter: click.Parameter, value: str | None) -> Part | None:
    """Return the part in K/N, or of this job for `auto`. Raises BadParameter for other text."""
    if value is None:
        return None
    try:
        return slurm_part(os.environ) if value == "auto" else parse_part(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def parse_part(text: str) -> Part:
    """Return the part in K/N. Raises ValueError for other text."""
    if re.fullmatch("[1-9][0-9]{0,8}/[1-9][0-9]{0,8}", text, re.ASCII):
        part = Part(*map(int, text.split("/")))
        if part.k <= part.n:
            return part
    raise ValueError(f"expected K/N with K from 1 to N, such as 3/8, or auto; found {text!r:.40}")


def slurm_part(variables: Mapping[str, str]) -> Part:
    """Return the part of a job in a Slurm array, whose jobs are numbered from 0 or 1.

    Raises ValueError outside of an array, and for other arrays, such as some jobs submitted again.
    """
    numbers = {}
    for name in ("ID", "MIN", "MAX", "STEP", "COUNT"):
        text = variables.get(SLURM + name)
        if text is None:
            problem = f"auto: expected {SLURM}{name}, which Slurm sets in a job array, found none"
            raise ValueError(f"{problem}; use --part K/N")
        if not re.fullmatch("[0-9]{1,18}", text, re.ASCII):
            raise ValueError(f"auto: expected a number in {SLURM}{name}, found {text!r:.40}")
        numbers[name] = int(text)
    first, n = numbers["MIN"], numbers["COUNT"]
    k = numbers["ID"] - first
    if first > 1 or numbers["STEP"] > 1 or not 0 <= k < n or numbers["MAX"] - first != n - 1:
        found = ", ".join(f"{name} {number}" for name, number in numbers.items())
        raise ValueError(
            f"auto: expected a whole array from 0 or 1, such as --array=1-64, "
            f"found {SLURM}… {found}; use --part K/N"
        )
    return Part(k + 1, n)


def part_batches(sources: "Sequence[Source]", part: Part) -> "Iterator[Batch]":
    """Yield the pictures of a part of the sources, which are counted first."""
    counts = [source.count() for source in sources]
    first, last = part.share(sum(counts))
    begin = 0
    for source, count in zip(sources, counts):
        if first < begin + count and begin < last:
            yield from source.batches(max(first - begin, 0), min(last - begin, count))
        begin += count
