"""How fast digitnet is, and how little memory it takes, beside its peers and beside the limits.

    pip install '.[bench]' && python tests/benchmarks/speed.py [--rounds N] [NAME...]

Each section is measured by itself. In it the contenders take turns, after a round to warm up, and
every figure is the median of the rounds; a ratio is of medians. Where networks are trained, all do
the same work in float32, from the same weights, and see every picture once an epoch in an order of
their own: that it is the same work shows in the accuracies on MNIST's test digits. Nothing fails
if a bar is missed. It needs a machine that does nothing else meanwhile.
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
    "process": commands.process,
    "shared-process": commands.shared_process,
    "shared-epoch": epochs.shared,
    "memory": commands.memory,
    "large": commands.large,
    "distortions": commands.distortions,
    "startup": commands.startup,
    "pictures": commands.pictures,
    "forward": commands.forward,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure digitnet beside its peers.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in SECTIONS:
            parser.error(f"{name}: expected one of {', '.join(SECTIONS)}")
    if arguments.rounds < 1:
        parser.error("--rounds: expected at least 1")
    started = time.perf_counter()
    print(machine.facts(), flush=True)
    if warning := machine.load_warning():
        print(warning, flush=True)
    bars = []
    for name in arguments.names or SECTIONS:
        section = SECTIONS[name](arguments.rounds)
        print(f"\n{name}: {section}", flush=True)
        bars += [(name, bar) for bar in section.bars]
    minutes = (time.perf_counter() - started) / 60
    print(f"\n{arguments.rounds} rounds, {minutes:.1f} minutes")
    for verdict, met in (("met", True), ("missed", False)):
        chosen = [f"  {name}: {bar.name}" for name, bar in bars if bar.met is met]
        print(f"{verdict}: {len(chosen)} of {len(bars)}", *chosen, sep="\n")


if __name__ == "__main__":
    main()
