"""The recipes for many pictures in `configs/README.md` run as they stand there, in fewer parts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import DIGITNET, ENVIRONMENT, REPOSITORY, Run

TEXT = (REPOSITORY / "configs" / "README.md").read_text().partition("## Many pictures\n")[2]
PARTS = 2  # instead of 64
SBATCH = r"""#!/bin/bash
# Run the jobs of an array one after the other; the status is the highest of theirs, as with --wait.
last=$(sed -n 's/^#SBATCH --array=1-\([0-9]*\) .*/\1/p' "${@: -1}")
export SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=$last SLURM_ARRAY_TASK_STEP=1
export SLURM_ARRAY_TASK_COUNT=$last highest=0
for SLURM_ARRAY_TASK_ID in $(seq $last); do
    export SLURM_ARRAY_TASK_ID
    bash "${@: -1}"
    status=$?; [ $status -gt $highest ] && highest=$status
done
exit $highest
"""


def recipe(containing: str) -> str:
    """Return the one block with a text, for PARTS parts."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if containing in block]
    assert "64" in found
    return str(found).replace("64", str(PARTS))


@pytest.fixture
def folder(tmp_path: Path, pictures: Path) -> Path:
    """Pictures, one of them damaged, a list of all, no answers, and a fake `sbatch`."""
    shutil.copytree(pictures, tmp_path / "scans")
    (tmp_path / "scans" / "07.png").write_bytes(b"no picture")
    (tmp_path / "list").write_text("".join(f"scans/{n:02}.png\n" for n in range(20)))
    (tmp_path / "answers").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    return tmp_path


def shell(folder: Path, script: str) -> int:
    path = f"{folder}/bin:{DIGITNET.parent}:{os.environ['PATH']}"
    command = ["/bin/bash", "-c", f"set -e\n{script}"]
    environment = ENVIRONMENT | {"PATH": path}
    return subprocess.run(command, cwd=folder, env=environment, timeout=120, check=False).returncode


def check_answers(run: Run, folder: Path, pattern: str) -> None:
    """Check that `answers.json` is a single run's, and that the files of the parts are there."""
    whole = run("predict", "--files-from", "list", "--format", "json", cwd=folder)
    assert (folder / "answers.json").read_bytes() == whole.stdout
    assert [("error" in json.loads(line)) for line in whole.stdout.splitlines()].count(True) == 1
    names = {pattern.format(k) for k in range(1, PARTS + 1)}
    assert {path.name for path in (folder / "answers").iterdir()} == names


def test_a_slurm_array_is_submitted_and_completed(run: Run, folder: Path) -> None:
    (folder / "list").unlink()
    (folder / "predict.sbatch").write_text(recipe("#SBATCH"))
    assert shell(folder, recipe("sbatch --wait")) == 0
    check_answers(run, folder, "{}.json")
    (folder / "answers" / "1.json").rename(folder / "answers" / "1.json.unfinished")
    assert shell(folder, recipe("sbatch --wait")) == 0
    check_answers(run, folder, "{}.json")


@pytest.mark.parametrize("program", ["xargs", "parallel"])
def test_many_processors_share_the_parts(run: Run, folder: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (folder / "answers" / "2.json").write_text("mine")
    assert shell(folder, recipe(program)) not in (0, 4)
    (folder / "answers" / "2.json").unlink()
    assert shell(folder, recipe(program) + "cat answers/{1..2}.json > answers.json") == 0
    check_answers(run, folder, "{}.json")
