"""What `tests/endurance` tries many times holds a few times."""

import subprocess
import sys

import pytest
from conftest import ENVIRONMENT, REPOSITORY

SCRIPTS = {
    "kills.py --kills 5 distortions": "0 unreadable checkpoints, 0 trainings that differ",
    "pairs.py --times 2": "2 pairs: 2 times one ran and one was turned away",
    "readers.py --times 100": ": 0 failures",
    "full.py --sizes 2": " times the old model was whole",
    "calls.py --only train-resume --only predict-list --sample 5 --seed 3": ", 0 faults",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_nothing_is_lost(script: str) -> None:
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
    said = done.stdout.decode()
    if said.startswith("skipped: "):
        pytest.skip(said.removeprefix("skipped: ").strip())
    assert SCRIPTS[script] in said
