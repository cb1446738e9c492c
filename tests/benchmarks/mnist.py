"""Read MNIST into arrays without digitnet, so that its reader is not measured."""

import gzip
from pathlib import Path
from typing import Any

MNIST = Path(__file__).parent.parent.parent / "data" / "mnist"


def read_mnist(folder: Path = MNIST) -> tuple[Any, Any, Any, Any]:
    """Return training images uint8 (n, 28, 28), training labels int64 (n,), and the test's."""
    arrays: list[Any] = []
    for split in ("train", "t10k"):
        images = _read(folder / f"{split}-images-idx3-ubyte.gz", 16)
        arrays.append(images.reshape(-1, 28, 28))
        arrays.append(_read(folder / f"{split}-labels-idx1-ubyte.gz", 8).astype("int64"))
    return arrays[0], arrays[1], arrays[2], arrays[3]


def _read(path: Path, header: int) -> Any:
    import numpy as np

    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)
