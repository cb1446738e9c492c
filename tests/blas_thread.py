"""Load NumPy with one BLAS thread; the environment of child processes stays as it is.

Each worker of pytest-xdist would start as many BLAS threads as there are processors, and these spin
while they wait.
"""

import os

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")

before = os.environ.copy()
os.environ |= dict.fromkeys(BLAS_VARIABLES, "1")
import numpy  # noqa: E402, F401

os.environ.clear()
os.environ |= before
