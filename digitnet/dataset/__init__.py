"""Labelled pictures of digits, from whatever a path holds, as arrays ready for training."""

from digitnet.dataset.definition import Data, Dataset, Paths, each, named
from digitnet.dataset.minibatches import Block, Distort, Minibatches
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices

__all__ = [
    "Block",
    "Data",
    "Dataset",
    "Distort",
    "Minibatches",
    "Paths",
    "each",
    "named",
    "read_data",
    "split_indices",
]
