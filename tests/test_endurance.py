"""Short runs of the scripts in `tests/endurance`."""

import subprocess
import sys

import pytest
from conftest import ENVIRONMENT, REPOSITORY

SCRIPTS = {
    "kills.py --kills 2 distortions": "0 unreadable checkpoints, 0 trainings that differ",
    "pairs.py --times 1": "1 pairs: 1 times one ran and one was refused",
    "readers.py --times 100": ": 0 failures",
    "parts.py --pictures 1000 --parts 2": " bytes, the same as a single run's",
    "full.py --sizes 2": " times all was well",
    "calls.py --only train-resume --only predict-list --sample 5 --seed 3": ", 0 faults",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_endurance_scripts_find_no_fault(script: str) -> None:
    name, *arguments = script.split()
    path = REPOSITORY / "tests" / "endurance" / name
    done = subprocess.run(
        [sys.executable, path, *arguments],
        capture_output=True,
        env=ENVIRONMENT,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    printed = done.stdout.decode()
    if printed.startswith("skipped: "):
        pytest.skip(printed.removeprefix("skipped: ").strip())
    assert SCRIPTS[script] in printed
