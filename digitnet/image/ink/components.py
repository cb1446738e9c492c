"""Connected components of a mask: their pixels, bounding boxes and shapes."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np

from digitnet.image.ink.ink import Bools

Run = tuple[int, int, int]  # marked pixels side by side: row, first column, column after the last

MAX_FRAME_THICKNESS = 0.12  # fraction of a frame's height or width: thickness of its lines
MAX_OFF_FRAME = 0.1  # fraction of a frame's area: pixels away from the edges of its bounding box
MIN_BAR_RATIO = 4  # length to thickness of a bar
FILLING = 0.7  # fraction of a picture's height and of its width: larger ink fills the picture


@dataclass(eq=False)
class Rectangle:
    """Rows from `top` to before `bottom`, columns from `left` to before `right`."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def longer(self) -> int:
        return max(self.height, self.width)

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def fills(self, height: int, width: int) -> bool:
        """Return whether the box fills a picture of height×width pixels, like a cropped digit."""
        return self.height >= FILLING * height and self.width >= FILLING * width

    def surrounds(self, other: "Rectangle") -> bool:
        """Return whether `other` lies inside this rectangle and touches none of its sides."""
        rows = self.top < other.top and other.bottom < self.bottom
        return rows and self.left < other.left and other.right < self.right

    def include(self, other: "Rectangle") -> None:
        """Grow to the bounding box of both."""
        self.top, self.bottom = min(self.top, other.top), max(self.bottom, other.bottom)
        self.left, self.right = min(self.left, other.left), max(self.right, other.right)

    def gap(self, other: "Rectangle") -> int:
        """Return the rows or columns between both, whichever is more; negative if they overlap."""
        rows = max(self.top - other.bottom, other.top - self.bottom)
        return max(rows, self.left - other.right, other.left - self.right)


class Component(Rectangle):
    """A connected component and its bounding box. area: number of its pixels."""

    def __init__(self, starts: list[int], ends: list[int], stride: int) -> None:
        """Make a component of runs from `starts` to before `ends` in the flattened picture.

        Row y of the picture begins at y × stride. The runs come in reading order.
        """
        self.flat_runs = starts, ends, stride
        lefts, rights = [start % stride for start in starts], [end % stride for end in ends]
        top, bottom = starts[0] // stride, starts[-1] // stride + 1
        super().__init__(top, bottom, min(lefts), max(rights))
        self.area = sum(ends) - sum(starts)

    @cached_property
    def runs(self) -> list[Run]:
        """Return the runs in reading order."""
        return _in_rows(*self.flat_runs)

    def moved(self, top: int, left: int, width: int) -> "Component":
        """Return the component moved down by `top` and right by `left` pixels.

        width: of the picture that the new component lies in, px.
        """
        stride = width + 2
        at = [((row + top) * stride + left, start, end) for row, start, end in self.runs]
        return Component([by + s for by, s, _ in at], [by + e for by, _, e in at], stride)

    def hugs_bounding_box(self) -> bool:
        """Return whether nearly all pixels are close to the edges of the bounding box."""
        inside = 0.0
        height = self.height * (0.5 - MAX_FRAME_THICKNESS)
        width = self.width * (0.5 - MAX_FRAME_THICKNESS)
        middle, centre = (self.top + self.bottom - 1) / 2, (self.left + self.right) / 2
        for row, start, end in self.runs:
            within = 1 - ((row - middle) / height) ** 2
            if within > 0:
                inside += max(min(end, centre + width) - max(start, centre - width), 0)
        return inside < MAX_OFF_FRAME * self.area

    def is_at_border(self, height: int, width: int) -> bool:
        """Return whether the component touches a side of a picture of height×width pixels."""
        return 0 in (self.top, self.left) or self.bottom == height or self.right == width

    def mask(self) -> Bools:
        """Return the mask of the component in its bounding box, (height, width)."""
        return mask_of([self], (self.bottom, self.right))[self.top :, self.left :]

    def overlaps(self, mask: Bools) -> bool:
        """Return whether the component and a mask of the picture (h, w) have a pixel in common."""
        return any(mask[row, start:end].any() for row, start, end in self.runs)

    def as_bar(self) -> tuple[float, float]:
        """Return length and thickness, px, of the bar at any angle with the same second moments.

        A bar of length l and thickness t has the variances l²/12 along it and t²/12 across it.
        Pixels are unit squares: each has a variance of 1/12 of its own.
        """
        runs = np.array(self.runs, np.float64)
        y, lengths = runs[:, 0], runs[:, 2] - runs[:, 1]
        x = (runs[:, 1] + runs[:, 2] - 1) / 2
        shares = lengths / self.area
        y, x = y - float(shares @ y), x - float(shares @ x)
        down, both = float(shares @ (y * y)), float(shares @ (y * x))
        across = float(shares @ (x * x + lengths * lengths / 12))
        short, long = np.linalg.eigvalsh([[down + 1 / 12, both], [both, across]])
        return math.sqrt(12 * long), math.sqrt(12 * short)


def runs_of(marked: Bools) -> list[Run]:
    """Return each run of marked pixels (h, w) in a row, in reading order."""
    return _in_rows(*_flat_runs(marked))


def _flat_runs(marked: Bools) -> tuple[list[int], list[int], int]:
    """Return starts and ends of the runs in the flattened, padded picture, and its row stride."""
    height, width = marked.shape
    padded = np.zeros((height, width + 2), np.bool_)  # a run at a side needs background beside it
    padded[:, 1:-1] = marked
    flat = padded.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]).tolist()
    return changes[::2], changes[1::2], width + 2


def _in_rows(starts: list[int], ends: list[int], stride: int) -> list[Run]:
    return [(start // stride, start % stride, end % stride) for start, end in zip(starts, ends)]


def connected_components(marked: Bools) -> list[Component]:
    """Return the connected components of a mask (h, w), 8-connected: union-find over runs."""
    starts, ends, stride = _flat_runs(marked)
    labels: list[int] = []  # of each run
    parents: list[int] = []  # of each label: a smaller label of the same component, or itself
    above = 0  # first run of the row above that may touch this run
    for start, end in zip(starts, ends):
        while ends[above] < start - stride:
            above += 1
        label, touching = -1, above
        while starts[touching] <= end - stride:
            other = labels[touching]
            while parents[other] != other:
                other = parents[other]
            if label == -1:
                label = other
            elif other != label:
                label, other = min(label, other), max(label, other)
                parents[other] = label
            touching += 1
        if label == -1:
            label = len(parents)
            parents.append(label)
        labels.append(label)
    if sum(label == parent for label, parent in enumerate(parents)) == 1:
        return [Component(starts, ends, stride)]
    runs_by_root: dict[int, tuple[list[int], list[int]]] = {}
    for label, start, end in zip(labels, starts, ends):
        while parents[label] != label:
            label = parents[label]
        root_starts, root_ends = runs_by_root.setdefault(label, ([], []))
        root_starts.append(start)
        root_ends.append(end)
    return [Component(*runs, stride) for runs in runs_by_root.values()]


def joined(components: list[Component]) -> Component:
    """Return the components, all of one picture, as one component."""
    if len(components) == 1:
        return components[0]
    starts, ends, strides = zip(*(component.flat_runs for component in components))
    return Component(sorted(chain(*starts)), sorted(chain(*ends)), strides[0])


def mask_of(components: list[Component], shape: tuple[int, ...]) -> Bools:
    """Return the mask of the components in a picture of `shape` (h, w)."""
    mask = np.zeros(shape, np.bool_)
    for component in components:
        for row, start, end in component.runs:
            mask[row, start:end] = True
    return mask
