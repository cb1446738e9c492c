"""Measure speed and memory of digitnet compared with its peers and with lower limits.

    pip install '.[bench]' && python tests/benchmarks/speed.py [--rounds N] [NAME...]

Each section is measured separately. In a section the contenders take turns, after a warm-up round.
Every figure is the median of the rounds, every ratio a ratio of medians. Contenders that train do
the same work in float32, from the same initial weights, and use every picture once per epoch, each
in its own order. Similar accuracies on MNIST's test digits show that the work is the same. A missed
target is reported and changes nothing else. The machine must be idle otherwise.
"""

import argparse
import time

import commands
import epochs
import machine

SECTIONS = {
    "videos": epochs.videos,
    "wide": epochs.wide,
    "deep": epochs.deep,
    "process": commands.whole_process,
    "shared-process": commands.process_beside_busy_core,
    "shared-epoch": epochs.wide_beside_busy_core,
    "memory": commands.memory,
    "large": commands.large_data,
    "distortions": commands.distortions,
    "startup": commands.startup,
    "pictures": commands.pictures,
    "forward": commands.forward,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure digitnet compared with its peers.")
    names = ", ".join(SECTIONS)
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"sections to measure (default: all): {names}"
    )
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in SECTIONS:
            parser.error(f"expected one of {names}, found {name}")
    if arguments.rounds < 1:
        parser.error(f"--rounds: expected at least 1, found {arguments.rounds}")
    started = time.perf_counter()
    print(machine.facts(), flush=True)
    if warning := machine.load_warning():
        print(warning, flush=True)
    targets = []
    for name in arguments.names or SECTIONS:
        section = SECTIONS[name](arguments.rounds)
        print(f"\n{name}: {section}", flush=True)
        targets += [(name, target) for target in section.targets]
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{arguments.rounds} rounds, {minutes:.1f} minutes")
    for verdict, met in (("met", True), ("missed", False)):
        chosen = [f"  {name}: {target.name}" for name, target in targets if target.met is met]
        print(f"{verdict}: {len(chosen)} of {len(targets)}", *chosen, sep="\n")


if __name__ == "__main__":
    main()
