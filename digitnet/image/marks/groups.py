"""Group components that lie close together: strokes of one digit that a pen or a scan broke."""

from collections.abc import Iterator

import numpy as np

from digitnet.image.ink.closing import max_filter
from digitnet.image.ink.components import Component, connected_components, mask_of
from digitnet.image.ink.ink import Bools

REDUCED_SIDE = 128  # px of the longer side, about: distances are measured in a picture so reduced
REACH_GROWTH = 1.5  # factor: from one distance at which components are joined to the next
MAX_REACH = 0.15  # of the longer side: components farther apart than twice that are not joined


class Neighbours:
    """Components of a picture of `shape` (h, w), to be grouped by the distance between them.

    step: pixels of the picture per reduced pixel.
    """

    def __init__(self, components: list[Component], shape: tuple[int, ...]) -> None:
        self._components = components
        self.step = max(-(-max(shape) // REDUCED_SIDE), 1)
        self._marked = _reduced(mask_of(components, shape), self.step)

    def groups(self) -> Iterator[tuple[list[Component], int]]:
        """Yield each component, then each group of components joined at a growing distance.

        This is single-linkage clustering. A group comes with the distance, px, that joins it;
        a single component comes with 0.
        """
        for component in self._components:
            yield [component], 0
        seen = {frozenset([component]) for component in self._components}
        reach = 1
        while len(self._components) > 1 and reach <= MAX_REACH * max(self._marked.shape):
            groups = self.within(reach)
            for group in groups:
                if frozenset(group) not in seen:
                    seen.add(frozenset(group))
                    yield group, 2 * reach * self.step
            if len(groups) == 1:
                break
            reach = max(reach + 1, int(REACH_GROWTH * reach))

    def within(self, reach: int) -> list[list[Component]]:
        """Return the groups of components that touch when dilated by `reach` reduced pixels."""
        dilated = max_filter(self._marked.astype(np.float32), 2 * reach + 1)
        labels = np.zeros(dilated.shape, np.intp)
        for label, around in enumerate(connected_components(dilated > 0)):
            for row, start, end in around.runs:
                labels[row, start:end] = label
        groups: dict[int, list[Component]] = {}
        for component in self._components:
            row, column, _ = component.runs[0]
            label = int(labels[row // self.step, column // self.step])
            groups.setdefault(label, []).append(component)
        return list(groups.values())


def _reduced(mask: Bools, step: int) -> Bools:
    """Return the mask reduced by `step`: marked where any of step×step pixels is marked."""
    if step == 1:
        return mask
    rows = np.logical_or.reduceat(mask, np.arange(0, mask.shape[0], step), axis=0)
    reduced: Bools = np.logical_or.reduceat(rows, np.arange(0, mask.shape[1], step), axis=1)
    return reduced
