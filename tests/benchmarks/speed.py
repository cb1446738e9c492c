"""Seconds for one epoch: digitnet beside PyTorch, JAX and scikit-learn, on the same work.

    pip install '.[bench]' && python tests/benchmarks/speed.py

Each contender is a process of its own that has MNIST in memory and has run one epoch to warm up.
Then they take turns, an epoch each, for ROUNDS rounds; the ratio is of the medians. All see the
same network, cost, optimizer and minibatch size, every image once an epoch, in float32; that they
do the same work shows in the test accuracy at the end. scikit-learn has no squared cost for
classes: it gets softmax and cross-entropy instead, which is no more work.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 5
MNIST = Path(__file__).parent.parent.parent / "data" / "mnist"


@dataclass(frozen=True)
class Work:
    layer_sizes: tuple[int, ...]
    videos: bool  # sigmoid and squared cost; else ReLU, softmax, cross-entropy
    minibatch_size: int
    learning_rate: float
    momentum: float


WORKS = {
    "784-16-16-10, sigmoid, squared cost, minibatch 10": Work(
        (784, 16, 16, 10), True, 10, 0.15, 0.0
    ),
    "784-512-512-10, ReLU, cross-entropy, momentum, minibatch 128": Work(
        (784, 512, 512, 10), False, 128, 0.05, 0.9
    ),
}

Epoch = Callable[[], None]
Contender = Callable[[Work, Any], tuple[Epoch, Callable[[], float]]]


def run_digitnet(work: Work, data: Any) -> tuple[Epoch, Callable[[], float]]:
    import msgspec
    import numpy as np

    from digitnet.config import to_config
    from digitnet.dataset import Minibatches
    from digitnet.evaluation import CHUNK, evaluate
    from digitnet.training import begin, train

    config = to_config(
        {
            "data": {"path": str(MNIST), "validation": 0},
            "network": {
                "layer_sizes": work.layer_sizes,
                "activation": "sigmoid" if work.videos else "relu",
                "output": "sigmoid" if work.videos else "softmax",
            },
            "cost": "quadratic" if work.videos else "cross_entropy",
            "training": {
                "epochs": 1,
                "minibatch_size": work.minibatch_size,
                "optimizer": {"learning_rate": work.learning_rate, "momentum": work.momentum},
            },
        }
    )
    state = begin(config)

    def epoch() -> None:
        epochs = state.place.epoch
        training = msgspec.structs.replace(config.training, epochs=epochs)
        state.config = msgspec.structs.replace(state.config, training=training)
        for _ in train(state.config, state):
            pass

    def accuracy() -> float:
        test = state.data.test
        assert test is not None
        return evaluate(state.network, Minibatches(test, CHUNK)(np.arange(len(test)))).accuracy

    return epoch, accuracy


def run_pytorch(work: Work, data: Any) -> tuple[Epoch, Callable[[], float]]:
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(1)
    x, y, x_test, y_test = (torch.from_numpy(array) for array in data)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(work.layer_sizes, work.layer_sizes[1:]):
        layers += [nn.Linear(n_in, n_out), nn.Sigmoid() if work.videos else nn.ReLU()]
    model = nn.Sequential(*(layers if work.videos else layers[:-1]))
    optimizer = torch.optim.SGD(model.parameters(), work.learning_rate, work.momentum)
    one_hot = nn.functional.one_hot(y, 10).float()

    def epoch() -> None:
        order = torch.randperm(len(x))
        for start in range(0, len(x), work.minibatch_size):
            batch = order[start : start + work.minibatch_size]
            out = model(x[batch])
            if work.videos:
                cost = ((out - one_hot[batch]) ** 2).sum(dim=1).mean()
            else:
                cost = nn.functional.cross_entropy(out, y[batch])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()

    def accuracy() -> float:
        with torch.no_grad():
            return float((model(x_test).argmax(dim=1) == y_test).float().mean())

    return epoch, accuracy


def run_jax(work: Work, data: Any) -> tuple[Epoch, Callable[[], float]]:
    import jax
    import jax.numpy as jnp
    import numpy as np

    x, y, x_test, y_test = (jnp.asarray(array) for array in data)
    rng = np.random.default_rng(1)
    params = [
        (
            jnp.asarray(
                rng.standard_normal((n_in, n_out), np.float32) * (2 / (n_in + n_out)) ** 0.5
            ),
            jnp.zeros(n_out),
        )
        for n_in, n_out in zip(work.layer_sizes, work.layer_sizes[1:])
    ]
    velocity = jax.tree.map(jnp.zeros_like, params)

    def forward(params: Any, a: Any) -> Any:
        for W, b in params[:-1]:
            a = (jax.nn.sigmoid if work.videos else jax.nn.relu)(a @ W + b)
        W, b = params[-1]
        return jax.nn.sigmoid(a @ W + b) if work.videos else a @ W + b

    def cost(params: Any, x: Any, y: Any) -> Any:
        out, one_hot = forward(params, x), jax.nn.one_hot(y, 10)
        if work.videos:
            return ((out - one_hot) ** 2).sum(axis=1).mean()
        return -(jax.nn.log_softmax(out) * one_hot).sum(axis=1).mean()

    def step(carry: Any, batch: Any) -> Any:
        params, velocity = carry
        gradient = jax.grad(cost)(params, x[batch], y[batch])
        velocity = jax.tree.map(
            lambda v, g: work.momentum * v - work.learning_rate * g, velocity, gradient
        )
        return (jax.tree.map(jnp.add, params, velocity), velocity), None

    whole = len(x) // work.minibatch_size * work.minibatch_size

    @jax.jit
    def run(params: Any, velocity: Any, order: Any) -> Any:
        batches = order[:whole].reshape(-1, work.minibatch_size)
        carry, _ = jax.lax.scan(step, (params, velocity), batches)
        return carry if whole == len(x) else step(carry, order[whole:])[0]

    held = {"params": params, "velocity": velocity}

    def epoch() -> None:
        order = jnp.asarray(rng.permutation(len(x)))
        params, velocity = jax.block_until_ready(run(held["params"], held["velocity"], order))
        held.update(params=params, velocity=velocity)

    return epoch, lambda: float((forward(held["params"], x_test).argmax(axis=1) == y_test).mean())


def run_scikit_learn(work: Work, data: Any) -> tuple[Epoch, Callable[[], float]]:
    from sklearn.neural_network import MLPClassifier

    x, y, x_test, y_test = data
    model = MLPClassifier(
        work.layer_sizes[1:-1],
        activation="logistic" if work.videos else "relu",
        solver="sgd",
        alpha=0,
        batch_size=work.minibatch_size,
        learning_rate_init=work.learning_rate,
        momentum=work.momentum,
        nesterovs_momentum=False,
        random_state=1,
    )
    return (
        lambda: model.partial_fit(x, y, classes=list(range(10))) and None,
        lambda: float(model.score(x_test, y_test)),
    )


CONTENDERS: dict[str, tuple[Contender, int]] = {
    "digitnet": (run_digitnet, 1),
    "PyTorch, 1 thread": (run_pytorch, 1),
    "PyTorch, 2 threads": (run_pytorch, 2),
    "JAX": (run_jax, 2),
    "scikit-learn, 1 thread": (run_scikit_learn, 1),
    "scikit-learn, 2 threads": (run_scikit_learn, 2),
}


def serve(work: Work, contender: Contender) -> None:
    """Run an epoch for each line on stdin and answer its seconds; at the end, the accuracy."""
    import numpy as np

    from digitnet.dataset import read_data

    mnist = read_data(MNIST)
    assert mnist.test is not None
    data: list[Any] = []
    for part in (mnist.training, mnist.test):
        data += [part.images.reshape(len(part), 784) / np.float32(255), part.labels]
    epoch, accuracy = contender(work, data)
    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        epoch()
        print(time.perf_counter() - started, flush=True)
    print(accuracy(), flush=True)


def compare(title: str) -> None:
    """One table: each contender's median seconds, their spread, the ratio, the accuracy."""
    processes = {}
    for name, (_, threads) in CONTENDERS.items():
        limits = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        process = subprocess.Popen(
            [sys.executable, __file__, "--serve", title, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **limits},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        processes[name] = (process.stdin, process.stdout)
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(ROUNDS):
        for name, (stdin, stdout) in processes.items():
            print("go", file=stdin, flush=True)
            seconds[name].append(float(stdout.readline()))
    print(
        f"\n{title}\n{'':<26}{'median s':>9}{'min – max':>16}{'digitnet / it':>15}{'accuracy':>10}"
    )
    ours = statistics.median(seconds["digitnet"])
    for name, (stdin, stdout) in processes.items():
        stdin.close()
        median = statistics.median(seconds[name])
        spread = f"{min(seconds[name]):.3f} – {max(seconds[name]):.3f}"
        accuracy = float(stdout.readline())
        print(f"{name:<26}{median:>9.3f}{spread:>16}{ours / median:>15.2f}{accuracy:>10.2%}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(WORKS[sys.argv[2]], CONTENDERS[sys.argv[3]][0])
    else:
        for title in WORKS:
            compare(title)
