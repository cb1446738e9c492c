"""Training: gradient descent in minibatches, epoch after epoch."""

from digitnet.training.loop import Progress, train
from digitnet.training.resumption import resume
from digitnet.training.state import Record, TrainingState, begin

__all__ = ["Progress", "Record", "TrainingState", "begin", "resume", "train"]
