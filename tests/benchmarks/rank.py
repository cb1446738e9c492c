"""What ranks.py measures, as a rank of an MPI job or as a process alone.

    python rank.py exchange ROUNDS PARAMETERS...
    python rank.py train NETWORK MINIBATCH SHARDS THREADS
    python rank.py steps ROUNDS

`exchange` prints JSON: a list of seconds for each number of parameters. `train` prints `ready`,
then runs an epoch for each line on stdin and prints its seconds; at the end, an empty line. `steps`
prints JSON: for each network, number of pictures and of shards, the seconds and CPU seconds of a
step; and those of an update.
"""

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from networks import NETWORKS, STEPS

if TYPE_CHECKING:
    from digitnet.fleet.fleet import Fleet

WARM_UP = 3  # exchanges
BYTES_A_ROUND = 100e6  # exchanged, about
MOST_A_ROUND = 300  # exchanges
SHORTEST = 0.05  # s: steps are repeated until they take as long
PARTS = 262_144  # parameters that are updated at once, as in training


def exchange(fleet: "Fleet", rounds: int, sizes: list[int]) -> dict[int, list[float]]:
    """Return the seconds of exchanges of vectors, whose sizes take turns."""
    import numpy as np

    seconds: dict[int, list[float]] = {n: [] for n in sizes}
    messages = {n: np.zeros(n + -n % (16 * fleet.size), np.float32) for n in sizes}
    for number in range(rounds + 1):
        for n, message in messages.items():
            times = min(max(int(BYTES_A_ROUND / (8 * n)), 2), MOST_A_ROUND)
            for _ in range(times if number else WARM_UP):
                started = time.perf_counter()
                fleet.add(message)
                if number:
                    seconds[n].append(time.perf_counter() - started)
    return seconds


def train(fleet: "Fleet", name: str, minibatch: int, shards: int, threads: int) -> None:
    """Run epochs of a training, on MNIST's digits, when rank 0 is told to."""
    from workloads import begin_training

    from digitnet.training.loop import train as run

    network = NETWORKS[name]
    state = begin_training(network.workload(minibatch), threads, shards=shards, landscape=False)
    training = run(state.config, state, fleet)
    next(training)
    if fleet.leads:
        print("ready", flush=True)
    while fleet.share(sys.stdin.readline() if fleet.leads else None):
        record = None
        while record is None:
            record = next(training).record
        if fleet.leads:
            print(record.seconds, flush=True)
    if fleet.leads:
        print(flush=True)


def steps(rounds: int) -> dict[str, Any]:
    """Return the seconds of steps of all kinds, which take turns."""
    contenders = {f"{name} {n} {shards}": _step(name, n, shards) for name, n, shards in STEPS}
    updates = {name: _update(name) for name in NETWORKS}
    seconds: dict[str, list[tuple[float, float]]] = {key: [] for key in contenders | updates}
    for number in range(rounds + 1):
        for key, work in (contenders | updates).items():
            times, started, cpu = 0, time.perf_counter(), time.process_time()
            while time.perf_counter() - started < SHORTEST:
                work()
                times += 1
            wall, cpu = time.perf_counter() - started, time.process_time() - cpu
            if number:
                seconds[key].append((wall / times, cpu / times))
    return seconds


def _step(name: str, n: int, shards: int) -> Callable[[], object]:
    """Return a function that makes a step with n pictures on one thread."""
    import numpy as np

    from digitnet.training.descent import Descent, Stretch

    network, optimizer = _network(name)
    rng = np.random.default_rng(1)
    x = np.ones((785, n), np.float32)
    x[:784] = rng.random((784, n), np.float32) * (rng.random((784, n)) < 0.2)  # 20 % are ink
    y = np.zeros((10, n), np.float32)
    y[rng.integers(0, 10, n), np.arange(n)] = 1
    descent = Descent(network, optimizer, shards=shards)
    return lambda: list(descent.walk([Stretch([(x, y)])], {n}))


def _update(name: str) -> Callable[[], None]:
    """Return a function that updates the parameters of a network."""
    import numpy as np

    network, optimizer = _network(name)
    gradient, coefficients = np.zeros_like(network.parameters), optimizer.coefficients()
    cuts = [*range(0, len(gradient), PARTS), len(gradient)]
    parts = [slice(*cut) for cut in pairwise(cuts)]

    def update() -> None:
        for part in parts:
            optimizer.step(gradient[part], coefficients, part)

    return update


def _network(name: str) -> Any:
    import numpy as np

    from digitnet.network.network import Network
    from digitnet.training.optimizers import SGD

    network = Network(
        NETWORKS[name].layer_sizes, activation="relu", output="softmax", cost="cross_entropy"
    )
    network.initialise(rng=np.random.default_rng(1))
    return network, SGD(network.parameters, learning_rate=1e-4, momentum=0.9)


def main() -> None:
    from digitnet.config.threads import load_numpy

    load_numpy(1)
    from digitnet.fleet.launcher import join

    kind, *words = sys.argv[1:]
    if kind == "steps":
        print(json.dumps(steps(int(words[0]))))
        return
    fleet = join()
    if kind == "exchange":
        found = exchange(fleet, int(words[0]), list(map(int, words[1:])))
        if fleet.leads:
            print(json.dumps(found), flush=True)
    else:
        train(fleet, words[0], *map(int, words[1:]))
    fleet.is_over = True
    sys.exit(fleet.end(0))


if __name__ == "__main__":
    main()
