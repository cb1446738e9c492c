"""Decide when a training saves its checkpoint: often, but at a small share of the run time."""

import time

from digitnet.model.checkpoint import save_checkpoint
from digitnet.training.loop import Progress
from digitnet.training.state import TrainingState

MAX_SAVING_SHARE = 0.01  # largest share of the run time for optional checkpoints


class Saver:
    """Saves the checkpoints of a training to `output`.

    replaces: whether `output` holds an older model, which is kept until the first epoch has ended.
    """

    def __init__(self, output: str, state: TrainingState, *, replaces: bool) -> None:
        self.output, self.state, self.replaces = output, state, replaces
        self._interval = state.config.training.checkpoint_seconds
        self._started = self._last_saved = time.monotonic()
        self._saving_seconds = 0.0  # total
        self._saved_epochs = self._first_epochs = len(state.history)
        self._saved_position: object = None  # of the training at the last checkpoint

    @property
    def may_save(self) -> bool:
        """True unless saving would replace an older model before the first epoch has ended."""
        return not self.replaces or bool(self.state.history)

    @property
    def has_unsaved_epochs(self) -> bool:
        """True if an epoch has ended since the last checkpoint."""
        return len(self.state.history) > self._saved_epochs

    def is_due(self, progress: Progress) -> bool:
        """Return whether it is time for a checkpoint.

        Always after the first and the last epoch of a run. Otherwise after each epoch and, within
        an epoch, every `checkpoint_seconds`, unless saving has taken more than MAX_SAVING_SHARE of
        the run time so far.
        """
        if not self.may_save:
            return False
        if progress.record and (self.state.done or self._saved_epochs == self._first_epochs):
            return True
        now = time.monotonic()
        if self._saving_seconds > MAX_SAVING_SHARE * (now - self._started):
            return False
        return progress.record is not None or now - self._last_saved >= self._interval

    def save(self) -> None:
        """Write the checkpoint, unless this state has been written already.

        Raises OutputError if it cannot be written; the old file then stays intact.
        """
        if self.state.position is self._saved_position:
            return
        started = time.monotonic()
        save_checkpoint(self.output, self.state.checkpoint())
        self._last_saved = time.monotonic()
        self._saving_seconds += self._last_saved - started
        self._saved_epochs, self._saved_position = len(self.state.history), self.state.position
