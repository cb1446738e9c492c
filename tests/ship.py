"""Make a trained model the shipped model: `python tests/ship.py model.npz`.

The state of training is stripped, and paths become relative to the repository.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path

from digitnet.model.checkpoint import load_checkpoint, save_checkpoint

REPOSITORY = Path(__file__).absolute().parent.parent
SHIPPED = REPOSITORY / "digitnet" / "model.npz"


def main(path: str) -> None:
    checkpoint = load_checkpoint(path)
    paths = checkpoint.data_path
    paths = (paths,) if isinstance(paths, str) else paths
    relative = tuple(os.path.relpath(each, REPOSITORY) for each in paths)
    config = checkpoint.config
    config = config | {"data": config["data"] | {"path": relative}, "model": "model.npz"}
    save_checkpoint(str(SHIPPED), replace(checkpoint, config=config, data_path=relative))


if __name__ == "__main__":
    main(sys.argv[1])
