"""The output table: measured values with their range, and ratios with their targets."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

DIGITS = {"s": 3, "ms": 1, "MB": 1, "µs": 2}  # decimals by unit


@dataclass(frozen=True)
class Line:
    """The values of one contender, one per round."""

    name: str
    values: list[float]
    unit: str = "s"
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        digits = DIGITS[self.unit]
        spread = f"{min(self.values):.{digits}f} – {max(self.values):.{digits}f}"
        median = f"{self.median:.{digits}f} {self.unit}"
        return f"  {self.name:<50}{median:>12}{spread:>20}  {self.note}".rstrip()


@dataclass(frozen=True)
class Target:
    """A value that should be at most `limit`, or at least `limit` with `at_least`."""

    name: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        target = f"target {'≥' if self.at_least else '≤'} {self.limit:g}{self.unit}"
        verdict = "met" if self.met else "MISSED"
        return f"  {self.name:<50}{self.value:>11.2f}{self.unit:<3}{target:>18}  {verdict}"


@dataclass
class Section:
    title: str
    lines: list[Line] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        head = f"{'':<50}{'median':>14}{'min – max':>20}"
        return "\n".join([self.title, head, *map(str, self.lines), *map(str, self.targets)])


def best(lines: Iterable[Line]) -> Line:
    """Return the line with the smallest median."""
    return min(lines, key=lambda line: line.median)
