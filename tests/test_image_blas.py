"""Prepared pictures are the same on every machine, though BLAS kernels sum in different orders."""

import ctypes
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ENVIRONMENT, read_mnist
from kinds import KINDS

from digitnet.image.field import _resize
from digitnet.image.files import brightness, open_picture
from digitnet.image.reading import read

SCANS = Path(__file__).parent.parent / "data" / "scans" / "train"


def hash_of_readings() -> str:
    """Return the hash of prepared scans and digits of every fourth kind, with decisions.

    It includes what is computed with BLAS before pixels are rounded to 256 greys.
    """
    rng, hashed = np.random.default_rng(0), hashlib.sha256()
    images, _ = read_mnist("t10k", len(KINDS[::4]))
    scans = sorted(SCANS.glob("*/*.png"))[::40]
    for picture in [*scans, *(kind(image, rng) for kind, image in zip(KINDS[::4], images))]:
        bright = brightness(open_picture(picture, "picture"))
        hashed.update(bright.tobytes() + _resize(bright, 20).tobytes())
        reading = read(picture)
        hashed.update(reading.image.tobytes())
        hashed.update(repr((reading.box, reading.corner, reading.digits)).encode())
    return hashed.hexdigest()


def kernels_in_use() -> str:
    """Return the kernels that OpenBLAS chose in this process; empty where it does not say."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    for path in {line.split()[-1] for line in lines if "openblas" in line}:
        library = ctypes.CDLL(path)
        for name in ("scipy_openblas_get_corename64_", "openblas_get_corename"):
            if hasattr(library, name):
                corename = getattr(library, name)
                corename.restype = ctypes.c_char_p
                return str(corename().decode())
    return ""


def test_readings_are_the_same_with_the_kernels_of_another_processor() -> None:
    hashes: dict[str, str] = {}
    for requested in ("Prescott", "Haswell"):
        done = subprocess.run(
            [sys.executable, __file__],
            env=ENVIRONMENT | {"OPENBLAS_CORETYPE": requested},
            cwd=os.path.dirname(__file__),
            check=True,
            capture_output=True,
            text=True,
        )
        kernels, hashed = done.stdout.split()
        hashes[kernels] = hashed
    if len(hashes) < 2:
        pytest.skip(f"NumPy's BLAS uses the kernels of {kernels}, whatever is requested")
    assert len(set(hashes.values())) == 1


if __name__ == "__main__":
    print(kernels_in_use() or "unknown", hash_of_readings())
