"""A training that looks after itself: overwrite or resume, lock, checkpoints in time, signals."""
