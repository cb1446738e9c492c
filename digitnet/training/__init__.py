"""Training: gradient descent in minibatches, epoch after epoch."""

from digitnet.training.loop import Progress, train
from digitnet.training.state import Record, TrainingState, begin, resume

__all__ = ["Progress", "Record", "TrainingState", "begin", "resume", "train"]
