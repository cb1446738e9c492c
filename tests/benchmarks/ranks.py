"""Measure what ranks cost, and estimate when several machines pay.

    python tests/benchmarks/ranks.py [--rounds 5] [--open-mpi PYTHON] [NAME...]

Print Markdown tables. `exchange`: adding a vector over all ranks, with the mpiexec beside this
Python and beside PYTHON. `steps`: the CPU time of a step in shards. `threads`: two ranks compared
with one process; contenders take turns. `machines`: exchanges between hosts, which are network
namespaces of this machine (as root), compared with the model of cluster.py; and what the model says
of many machines. The machine must be idle otherwise.
"""

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from cluster import CORES, LINKS, MACHINES, Link, Measured
from cluster import MINIBATCHES as LARGE
from machine import cpu, load_warning
from namespaces import hosts, missing
from networks import MINIBATCHES, NETWORKS, SHARDS, TRAINED
from processes import PYTHON, environment
from turns import take_turns
from worker import Worker

RANK_PY = str(Path(__file__).with_name("rank.py"))
MPIEXEC = Path(PYTHON).with_name("mpiexec")
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
OPEN_MPI = ("--oversubscribe", "--bind-to", "none")
RANKS = (2, 4)
RATES = (1000, 200)  # Mb/s: limits between hosts
GOODPUT = 1448 / 1514  # of Ethernet's bytes, those that TCP delivers
LONGEST = 300  # s


class Bench:
    """The measurements, each made once."""

    def __init__(self, rounds: int, open_mpi: str | None) -> None:
        self.rounds = rounds
        self.mpis: dict[str, tuple[str, ...]] = {"MPICH": (str(MPIEXEC),)}
        self.pythons = {"MPICH": PYTHON}
        if open_mpi:
            self.mpis["Open MPI"] = (str(Path(open_mpi).with_name("mpiexec")), *OPEN_MPI)
            self.pythons["Open MPI"] = open_mpi

    @functools.cached_property
    def exchanges(self) -> dict[tuple[str, int, str], list[float]]:
        """The seconds of exchanges, by MPI, ranks and network."""
        found = {}
        for mpi, launcher in self.mpis.items():
            for ranks in RANKS:
                sizes = [net.parameters for net in NETWORKS.values()]
                seconds = exchange(launcher, ranks, self.pythons[mpi], self.rounds, sizes)
                for (name, _), values in zip(NETWORKS.items(), seconds):
                    found[mpi, ranks, name] = values
        return found

    @functools.cached_property
    def steps(self) -> dict[str, tuple[float, float]]:
        """The seconds and the CPU seconds of a step, by `NETWORK PICTURES SHARDS`; of updates."""
        done = run([PYTHON, RANK_PY, "steps", str(self.rounds)])
        return {
            key: (statistics.median(wall), statistics.median(cpu))
            for key, values in json.loads(done).items()
            for wall, cpu in [zip(*values)]
        }

    @functools.cached_property
    def epochs(self) -> dict[tuple[str, int], dict[str, float]]:
        """The pictures a second of each contender, by network and minibatch."""
        found = {}
        for name in TRAINED:
            for n in MINIBATCHES:
                with workers(name, n) as contenders:
                    seconds = take_turns(contenders, self.rounds)
                found[name, n] = {
                    contender: NETWORKS[name].examples / statistics.median(values)
                    for contender, values in seconds.items()
                }
        return found

    def measured(self, name: str) -> Measured:
        return Measured(
            NETWORKS[name].parameters,
            {n: self.steps[f"{name} {n} 1"][0] for n in (128, 512)},
            {
                n: self.steps[f"{name} {n} {shards}"][0]
                for n, shards in ((32, 1), (64, 1), (128, 1), (512, 4))
            },
            self.steps[name][0],
            statistics.median(self.exchanges["MPICH", 2, name]),
        )


def exchange(
    launcher: Sequence[str], ranks: int, python: str, rounds: int, sizes: list[int]
) -> list[list[float]]:
    words = [*launcher, "-n", str(ranks), python, RANK_PY, "exchange", str(rounds)]
    return list(json.loads(run([*words, *map(str, sizes)])).values())


def run(command: list[str]) -> str:
    done = subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment() | ROOT,
        timeout=LONGEST,
    )
    return done.stdout


@contextmanager
def workers(name: str, n: int) -> Iterator[dict[str, Worker]]:
    """Yield processes that train a network, with minibatches of n."""
    program = [PYTHON, RANK_PY, "train", name, str(n)]
    shards = str(MINIBATCHES[n])
    commands = {
        "2 threads": [*program, "1", "2"],
        "shards": [*program, shards, "1"],
        "2 ranks": [str(MPIEXEC), "-n", "2", *program, shards, "1"],
    }
    with ExitStack() as stack:
        running = {}
        for title, command in commands.items():
            running[title] = Worker(title, command, environment())
            stack.enter_context(running[title].process)
            stack.callback(running[title].process.kill)
        yield running
        for worker in running.values():
            worker.finish()


def table(head: str, rows: list[Sequence[object]]) -> str:
    lines = [head, "|".join(["", *["---"] * (head.count("|") - 1), ""])]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def exchange_table(bench: Bench) -> str:
    rows = []
    for name in NETWORKS:
        for ranks in RANKS:
            figures: list[str] = []
            for mpi in bench.mpis:
                seconds = bench.exchanges[mpi, ranks, name]
                figures += [ms(statistics.median(seconds)), ms(min(seconds))]
            median = statistics.median(bench.exchanges["MPICH", ranks, name])
            computing, _ = bench.steps[f"{name} {128 // ranks} 1"]
            share = f"{median / (median + computing):.0%}"
            rows.append((f"{NETWORKS[name].title}: {name}", ranks, *figures, ms(computing), share))
    mpis = " | ".join(f"{mpi}, ms | best" for mpi in bench.mpis)
    computing = "computing a rank's part of 128 pictures, ms | exchange, share of such a step"
    return table(f"| network: parameters | ranks | {mpis} | {computing} |", rows)


def steps_table(bench: Bench) -> str:
    rows = [
        (name, n, *(ms(bench.steps[f"{name} {n} {shards}"][1]) for shards in SHARDS))
        for name in TRAINED
        for n in (128, 512)
    ]
    shards = " | ".join(f"{n} shards" if n > 1 else "1 shard" for n in SHARDS)
    return table(f"| parameters | minibatch | {shards} |", rows)


def threads_table(bench: Bench) -> str:
    rows = []
    for (name, n), rates in bench.epochs.items():
        ranks = rates["2 ranks"]
        ratios = (f"{ranks / rates[other]:.2f}" for other in ("2 threads", "shards"))
        figures = (f"{rate / 1000:.1f}" for rate in rates.values())
        rows.append((name, f"{n:,}", MINIBATCHES[n], *figures, *ratios))
    contenders = "2 threads, 1 shard | 1 thread, shards | 2 ranks, shards"
    ratios = "ranks / threads | ranks / one thread"
    return table(f"| parameters | minibatch | shards | {contenders} | {ratios} |", rows)


def machines_table(bench: Bench) -> str:
    """Return the check of the model and what it says, as tables."""
    parts = [_steps_check(bench), _hosts_check(bench)]
    rows, bounds = [], []
    for name in TRAINED:
        measured = bench.measured(name)
        for link in LINKS:
            speedups = [measured.speedup(n, machines, link) for n in LARGE for machines in MACHINES]
            rows.append((name, link.name, *(f"{speedup:.1f}" for speedup in speedups)))
            least = [measured.pays_from(MACHINES[0], link, speedup) for speedup in (1, 2, 3)]
            bounds.append((name, link.name, *(f"{n:,}" if n else "none" for n in least)))
    heads = " | ".join(f"{n:,}: {machines}" for n in LARGE for machines in MACHINES)
    assumed = "; ".join(
        f"{link.name}: {1e6 * link.latency:g} µs, {link.bandwidth / 1e9:g} GB/s" for link in LINKS
    )
    parts += [
        f"The model ({CORES} cores a machine; {assumed}): speed-up by minibatch and machines",
        table(f"| parameters | network | {heads} |", rows),
        f"The smallest minibatch with which {MACHINES[0]} machines are faster by a factor of",
        table("| parameters | network | 1 | 2 | 3 |", bounds),
    ]
    return "\n\n".join(parts)


def _steps_check(bench: Bench) -> str:
    """Return a table of steps of two ranks on this machine, and the model's."""
    rows = []
    here = Link("here", 0, float("inf"))
    for name in TRAINED:
        measured = bench.measured(name)
        for n in MINIBATCHES:
            real = n / bench.epochs[name, n]["2 ranks"]
            model = measured.step(n, 2, here, cores=1)
            rows.append((name, f"{n:,}", ms(model), ms(real)))
    head = "| parameters | minibatch | step of 2 ranks here, model, ms | measured |"
    return table(head, rows)


def _hosts_check(bench: Bench) -> str:
    """Return a table of exchanges between hosts with limited bandwidth, and the model's."""
    if found := missing():
        return f"Hosts: skipped: {found}"
    rows, latency, rounds = [], 0.0, max(bench.rounds // 2, 1)
    sizes = [NETWORKS[name].parameters for name in TRAINED]
    for count in RANKS:
        with tempfile.TemporaryDirectory() as folder, hosts(count, Path(folder)) as made:
            launcher = made.launcher(MPIEXEC)
            smallest, *free = exchange(launcher, count, PYTHON, rounds, [1000, *sizes])
            latency = latency or statistics.median(smallest) / 2  # of two hosts
            for name, seconds in zip(TRAINED, free):
                rows.append((name, count, "none", "", ms(statistics.median(seconds))))
            for rate in RATES:
                made.limit(rate)
                link = Link("limited", latency, GOODPUT * rate * 1e6 / 8)
                for name, seconds in zip(TRAINED, exchange(launcher, count, PYTHON, rounds, sizes)):
                    model = bench.measured(name).exchange(count, link)
                    real = ms(statistics.median(seconds))
                    rows.append((name, count, f"{rate:,} Mb/s", ms(model), real))
    head = "| parameters | hosts | limit | exchange, model, ms | measured, ms |"
    return f"{table(head, rows)}\n\nα between two hosts, measured: {1e6 * latency:.0f} µs"


def ms(seconds: float) -> str:
    """Return a time in milliseconds, with three digits."""
    value = 1e3 * seconds
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


TABLES: dict[str, Callable[[Bench], str]] = {
    "exchange": exchange_table,
    "steps": steps_table,
    "threads": threads_table,
    "machines": machines_table,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what ranks cost.")
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="default: %(default)s")
    parser.add_argument("--open-mpi", metavar="PYTHON", help="a Python beside Open MPI's mpiexec")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in TABLES:
            parser.error(f"expected one of {', '.join(TABLES)}, found {name}")
    started = time.perf_counter()
    print(f"{cpu()}, {len(os.sched_getaffinity(0))} cores", flush=True)
    if warning := load_warning():
        print(warning, flush=True)
    bench = Bench(arguments.rounds, arguments.open_mpi)
    for name in arguments.names or TABLES:
        print(f"\n{name}\n\n{TABLES[name](bench)}", flush=True)
    print(f"\n{arguments.rounds} rounds, {(time.perf_counter() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
