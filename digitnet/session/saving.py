"""When a training's checkpoint is written: often enough, and seldom enough to cost nothing."""

import time

from digitnet.model.checkpoint import save_checkpoint
from digitnet.training.loop import Progress
from digitnet.training.state import TrainingState

MOST = 0.01  # of the time goes into writing checkpoints, but for those that have to be written


class Saver:
    """Writes checkpoints of a training to `output`.

    replaces: whether there is an older model, which stays until the first epoch has ended.
    """

    def __init__(self, output: str, state: TrainingState, *, replaces: bool) -> None:
        self.output, self.state, self.replaces = output, state, replaces
        self._interval = state.config.training.checkpoint_seconds
        self._begun = self._at = time.monotonic()  # the training, and the last checkpoint
        self._spent = 0.0  # seconds, on all of them
        self._epochs = len(state.history)  # that have been saved, or were there already
        self._begun_with = self._epochs
        self._place: object = None  # where training stood when it was

    @property
    def may_save(self) -> bool:
        """Whether there is something that is worth more than what is there."""
        return not self.replaces or bool(self.state.history)

    @property
    def has_unsaved_epochs(self) -> bool:
        return len(self.state.history) > self._epochs

    def is_due(self, progress: Progress) -> bool:
        """Whether it is time for one: after the first and the last epoch of a run always.

        Else where they have cost little so far: after an epoch, and in the middle of one if
        `checkpoint_seconds` have passed since the last.
        """
        if not self.may_save:
            return False
        if progress.record and (self.state.done or self._epochs == self._begun_with):
            return True
        now = time.monotonic()
        if self._spent > MOST * (now - self._begun):
            return False
        return progress.record is not None or now - self._at >= self._interval

    def save(self) -> None:
        """Write the state as it is, unless it was written already.

        Raises OutputError, with the old file whole, if that cannot be done.
        """
        if self.state.place is self._place:
            return
        begun = time.monotonic()
        save_checkpoint(self.output, self.state.checkpoint())
        self._at = time.monotonic()
        self._spent += self._at - begun
        self._epochs, self._place = len(self.state.history), self.state.place
