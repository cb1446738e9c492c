"""Group components that lie close together: strokes of one digit that a pen or a scan broke."""

from collections.abc import Iterator

import numpy as np

from digitnet.image.ink.closing import greatest_around
from digitnet.image.ink.ink import Bools
from digitnet.image.ink.parts import Part, mask_of, parts_of

COARSE = 128  # px of the longer side: distances are measured in a picture reduced to about that
GROWTH = 1.5  # times as far as before: the next distance at which components are joined
FARTHEST = 0.15  # of the longer side: components farther apart than twice that are not joined


class Neighbours:
    """Components of a picture of some shape, to be grouped by the distance between them."""

    def __init__(self, parts: list[Part], shape: tuple[int, ...]) -> None:
        self._parts = parts
        self.step = max(-(-max(shape) // COARSE), 1)
        self._marked = _reduced(mask_of(parts, shape), self.step)

    def groups(self) -> Iterator[tuple[list[Part], int]]:
        """Yield each component, then each group that components make up at growing distances.

        This is single-linkage clustering: a group comes with the distance, in px, that joins it.
        """
        for part in self._parts:
            yield [part], 0
        seen = {frozenset([part]) for part in self._parts}
        reach = 1
        while len(self._parts) > 1 and reach <= FARTHEST * max(self._marked.shape):
            groups = self.within(reach)
            for group in groups:
                if frozenset(group) not in seen:
                    seen.add(frozenset(group))
                    yield group, 2 * reach * self.step
            if len(groups) == 1:
                break
            reach = max(reach + 1, int(GROWTH * reach))

    def within(self, reach: int) -> list[list[Part]]:
        """Return the groups of parts that touch once each is dilated by `reach` reduced pixels."""
        dilated = greatest_around(self._marked.astype(np.float32), 2 * reach + 1)
        numbers = np.zeros(dilated.shape, np.intp)
        for number, around in enumerate(parts_of(dilated > 0)):
            for row, start, end in around.runs:
                numbers[row, start:end] = number
        groups: dict[int, list[Part]] = {}
        for part in self._parts:
            row, column, _ = part.runs[0]
            groups.setdefault(int(numbers[row // self.step, column // self.step]), []).append(part)
        return list(groups.values())


def _reduced(mask: Bools, step: int) -> Bools:
    """Return where any of step×step pixels is marked."""
    if step == 1:
        return mask
    rows = np.logical_or.reduceat(mask, np.arange(0, mask.shape[0], step), axis=0)
    reduced: Bools = np.logical_or.reduceat(rows, np.arange(0, mask.shape[1], step), axis=1)
    return reduced
