"""What a picture becomes does not depend on the machine, whose BLAS may sum in another order."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import ENVIRONMENT, read_mnist
from kinds import KINDS

from digitnet.image.reading import read

SCANS = Path(__file__).parent.parent / "data" / "scans" / "train"


def hash_of_readings() -> str:
    """Of scans and of a digit of each kind, prepared, and of what was decided."""
    rng, hashed = np.random.default_rng(0), hashlib.sha256()
    images, _ = read_mnist("t10k", len(KINDS))
    scans = sorted(SCANS.glob("*/*.png"))
    for picture in [*scans, *(kind(image, rng) for kind, image in zip(KINDS, images))]:
        reading = read(picture)
        hashed.update(reading.image.tobytes())
        hashed.update(repr((reading.box, reading.corner, reading.digits)).encode())
    return hashed.hexdigest()


def test_it_is_the_same_with_the_kernels_of_another_processor() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, __file__],
            env=ENVIRONMENT | {"OPENBLAS_CORETYPE": kernels},
            cwd=os.path.dirname(__file__),
            check=True,
            capture_output=True,
        ).stdout
        for kernels in ("Prescott", "Haswell")
    }
    assert len(hashes) == 1


if __name__ == "__main__":
    print(hash_of_readings())
