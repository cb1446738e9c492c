"""The peers PyTorch, JAX and scikit-learn, with the workload and initial weights of digitnet."""

import os
from typing import Any

from mnist import read_mnist
from trainer import Trainer
from workloads import Workload, begin_training


def pytorch(workload: Workload) -> Trainer:
    """Return a trainer in eager PyTorch; the environment sets its number of threads."""
    import torch
    from torch import nn

    torch.manual_seed(1)
    x, y, x_test, y_test = (torch.from_numpy(array) for array in _floats(workload))
    layers: list[nn.Module] = []
    start = begin_training(workload, 1).network
    for W, b in zip(start.weights, start.biases):
        linear = nn.Linear(*reversed(W.shape))
        linear.load_state_dict({"weight": torch.from_numpy(W), "bias": torch.from_numpy(b)})
        layers += [linear, nn.Sigmoid() if workload.videos else nn.ReLU()]
    model = nn.Sequential(*(layers if workload.videos else layers[:-1]))
    optimizer = torch.optim.SGD(model.parameters(), workload.learning_rate, workload.momentum)
    one_hot = nn.functional.one_hot(y, 10).float()

    def epoch() -> None:
        order = torch.randperm(len(x))
        for start in range(0, len(x), workload.minibatch_size):
            batch = order[start : start + workload.minibatch_size]
            out = model(x[batch])
            if workload.videos:
                cost = ((out - one_hot[batch]) ** 2).sum(dim=1).mean()
            else:
                cost = nn.functional.cross_entropy(out, y[batch])
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()

    def accuracy() -> float:
        with torch.no_grad():
            return float((model(x_test).argmax(dim=1) == y_test).float().mean())

    return Trainer(epoch, accuracy)


def jax(workload: Workload) -> Trainer:
    """Return a trainer in compiled JAX: a whole epoch is one scan."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    x, y, x_test, y_test = (jnp.asarray(array) for array in _floats(workload))
    rng = np.random.default_rng(1)
    start = begin_training(workload, 1).network
    params = [(jnp.array(W.T), jnp.array(b)) for W, b in zip(start.weights, start.biases)]
    held = {"carry": (params, jax.tree.map(jnp.zeros_like, params))}

    def forward(params: Any, a: Any) -> Any:
        for W, b in params[:-1]:
            a = (jax.nn.sigmoid if workload.videos else jax.nn.relu)(a @ W + b)
        W, b = params[-1]
        return jax.nn.sigmoid(a @ W + b) if workload.videos else a @ W + b

    def cost(params: Any, x: Any, y: Any) -> Any:
        out, one_hot = forward(params, x), jax.nn.one_hot(y, 10)
        if workload.videos:
            return ((out - one_hot) ** 2).sum(axis=1).mean()
        return -(jax.nn.log_softmax(out) * one_hot).sum(axis=1).mean()

    def step(carry: Any, batch: Any) -> Any:
        params, velocity = carry
        gradient = jax.grad(cost)(params, x[batch], y[batch])
        velocity = jax.tree.map(
            lambda v, g: workload.momentum * v - workload.learning_rate * g, velocity, gradient
        )
        return (jax.tree.map(jnp.add, params, velocity), velocity), None

    whole = len(x) // workload.minibatch_size * workload.minibatch_size

    @jax.jit
    def run(carry: Any, order: Any) -> Any:
        batches = order[:whole].reshape(-1, workload.minibatch_size)
        carry, _ = jax.lax.scan(step, carry, batches)
        return carry if whole == len(x) else step(carry, order[whole:])[0]

    def epoch() -> None:
        order = jnp.asarray(rng.permutation(len(x)))
        held["carry"] = jax.block_until_ready(run(held["carry"], order))

    def accuracy() -> float:
        params, _ = held["carry"]
        return float((forward(params, x_test).argmax(axis=1) == y_test).mean())

    return Trainer(epoch, accuracy)


def jax_on_one_core(workload: Workload) -> Trainer:
    """Return the JAX trainer restricted to one core, which is faster for small layers.

    CPU affinity is used because JAX has no setting for its number of threads.
    """
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return jax(workload)


def scikit_learn(workload: Workload) -> Trainer:
    """Return a scikit-learn trainer; always cross-entropy: it has no squared cost for classes."""
    from sklearn.neural_network import MLPClassifier

    x, y, x_test, y_test = _floats(workload)
    model = MLPClassifier(
        workload.layer_sizes[1:-1],
        activation="logistic" if workload.videos else "relu",
        solver="sgd",
        alpha=0,
        batch_size=workload.minibatch_size,
        learning_rate_init=workload.learning_rate,
        momentum=workload.momentum,
        nesterovs_momentum=False,
        random_state=1,
    )
    model.partial_fit(x[: workload.minibatch_size], y[: workload.minibatch_size], classes=range(10))
    start = begin_training(workload, 1).network
    for coefs, intercepts, W, b in zip(
        model.coefs_, model.intercepts_, start.weights, start.biases
    ):
        coefs[:], intercepts[:] = W.T, b
    del model._optimizer  # drops the velocity; the next call creates a new optimizer
    return Trainer(
        lambda: model.partial_fit(x, y) and None,
        lambda: float(model.score(x_test, y_test)),
    )


def _floats(workload: Workload) -> tuple[Any, Any, Any, Any]:
    """Return training pixels, labels, test pixels, labels: float32 (n, 784), 0 to 1, int64 (n,).

    Of the training set, only the workload's share is returned.
    """
    import numpy as np

    images, labels, test_images, test_labels = read_mnist()
    x, x_test = (part.reshape(-1, 784) / np.float32(255) for part in (images, test_images))
    return x[: workload.examples], labels[: workload.examples], x_test, test_labels
