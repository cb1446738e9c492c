"""A training that looks after itself: overwrite or resume, lock, checkpoints in time, signals."""

from digitnet.session.driver import run
from digitnet.session.signals import STOPS

__all__ = ["STOPS", "run"]
