"""All of it, for a quarter of an hour: `python tests/endurance`."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("kills.py", "pairs.py", "readers.py", "full.py", "stops.py")


def main() -> None:
    failed = [
        script
        for script in SCRIPTS
        if subprocess.run(
            [sys.executable, Path(__file__).with_name(script)], check=False
        ).returncode
    ]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
