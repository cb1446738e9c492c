"""Train the network of the videos in plain JAX: `python train_jax.py EPOCHS FILE`."""

import sys
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from mnist import read_mnist

epochs, path = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(1)
images, labels, _, _ = read_mnist()
x = jnp.asarray(images.reshape(-1, 784) / np.float32(255))
y = jnp.asarray(np.eye(10, dtype=np.float32)[labels])
params = [
    (
        rng.standard_normal((n_in, n_out), np.float32) * (2 / (n_in + n_out)) ** 0.5,
        np.zeros(n_out, np.float32),
    )
    for n_in, n_out in pairwise((784, 16, 16, 10))
]


def cost(params, x, y):
    a = x
    for W, b in params:
        a = jax.nn.sigmoid(a @ W + b)
    return ((a - y) ** 2).sum(axis=1).mean()


def step(params, batch):
    gradient = jax.grad(cost)(params, x[batch], y[batch])
    return jax.tree.map(lambda p, g: p - 0.15 * g, params, gradient), None


@jax.jit
def epoch(params, order):
    return jax.lax.scan(step, params, order.reshape(-1, 10))[0]


for _ in range(epochs):
    params = epoch(params, rng.permutation(len(x)))
np.savez(path, *jax.tree.leaves(params))
