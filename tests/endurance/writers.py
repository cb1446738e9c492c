"""Let several `digitnet predict` append to one file: every line in it must be whole.

python tests/endurance/writers.py [--writers 4] [--pictures 2000]
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

DIGITNET = str(Path(sys.executable).with_name("digitnet"))
LENGTHS = (1, 30, 200)  # characters of a name


def draw(folder: Path, pictures: int) -> list[str]:
    """Draw pictures of bars; return their names, which have several lengths."""
    image = np.full((28, 28), 255, np.uint8)
    image[5:23, 12:15] = 0
    names = []
    for number in range(pictures):
        name = f"{number:06}{'x' * LENGTHS[number % len(LENGTHS)]}.png"
        Image.fromarray(image).save(folder / name)
        names.append(name)
    return names


def name_in(line: str, form: str) -> str:
    """Return the name in a line of answers, "" if the line is incomplete."""
    if form == "text":
        name, *answer = line.split("\t")
        return name if len(answer) == 2 and answer[1][:2] in ("0.", "1.") else ""
    try:
        return str(json.loads(line)["path"])
    except (ValueError, KeyError, TypeError):
        return ""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--pictures", type=int, default=2000)
    arguments = parser.parse_args()
    torn = 0
    with TemporaryDirectory() as name:
        folder = Path(name)
        names = draw(folder, arguments.pictures)
        for form in ("text", "json"):
            output = folder / f"answers.{form}"
            with output.open("ab") as file:
                command = [DIGITNET, "predict", "--format", form, "--files-from", "-"]
                writers = [
                    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=file, cwd=folder)
                    for _ in range(arguments.writers)
                ]
                for number, writer in enumerate(writers):
                    share = names[number :: len(writers)]
                    assert writer.stdin is not None
                    writer.stdin.write("".join(f"{name}\n" for name in share).encode())
                    writer.stdin.close()
                failed = sum(writer.wait() != 0 for writer in writers)
            found = Counter(name_in(line, form) for line in output.read_text().splitlines())
            wrong = sum((Counter(names) - found).values()) + sum((found - Counter(names)).values())
            print(f"{form}: {len(names):,} pictures, {failed} writers failed, {wrong} lines torn")
            torn += failed + wrong
    sys.exit(torn > 0)


if __name__ == "__main__":
    main()
