"""Run all endurance scripts, which takes an hour: `python tests/endurance`."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    *("kills.py", "pairs.py", "readers.py", "full.py", "stops.py", "writers.py", "memory.py"),
    *("ranks.py", "hosts.py"),
    *("calls.py --sample 500", "parts.py --pictures 100000"),
)


def fails(script: str) -> bool:
    name, *arguments = script.split()
    command = [sys.executable, Path(__file__).with_name(name), *arguments]
    return subprocess.run(command, check=False).returncode != 0


def main() -> None:
    failed = [script for script in SCRIPTS if fails(script)]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
