"""Run a training unattended: overwrite or resume, file lock, timed checkpoints, signals."""
