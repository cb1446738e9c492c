"""Describe the machine and the software that the figures were measured on."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from processes import PYTHON

BLAS = """
import numpy
blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
try:
    from threadpoolctl import threadpool_info
    kernels = [pool["architecture"] for pool in threadpool_info() if "architecture" in pool]
except ModuleNotFoundError:
    kernels = []
print(blas["name"], blas["version"], *kernels)
"""


def facts() -> str:
    """Return the processor, its number of cores, and the versions of the packages."""
    packages = ("numpy", "torch", "jax", "scikit-learn", "pillow")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return (
        f"{cpu()}, {len(os.sched_getaffinity(0))} cores, "
        f"{platform.system()} {platform.release()}\n"
        f"Python {platform.python_version()}, {versions}\n"
        f"NumPy's BLAS: {_output(PYTHON, '-c', BLAS)}"
    )


def load_warning() -> str | None:
    """Return a warning if the machine was busy in the last minute, else None."""
    load, _, _ = os.getloadavg()
    if load < 0.5:
        return None
    return f"WARNING: load average {load:.2f}: other programs run, so the figures are unreliable"


def cpu() -> str:
    """Return the processor's name, family and model."""
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines():
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    name = fields.get("model name", platform.machine())
    return f"{name} (family {fields.get('cpu family')}, model {fields.get('model')})"


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
