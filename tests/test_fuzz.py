"""Damaged files get an answer or one clear error; tests/endurance/fuzz.py tries more of them."""

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent / "endurance" / "fuzz.py"


def test_damaged_files_get_an_answer_or_one_clear_error() -> None:
    done = subprocess.run(
        [sys.executable, FUZZ, "--inputs", "320", "--seed", "2", "--share", "100"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "320 inputs of seed 2: 0 findings" in done.stdout
    assert done.stdout.count(": answered") == done.stdout.count(": refused") >= 8
